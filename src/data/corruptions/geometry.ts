import { resize } from '../resize.ts';
import { backgroundOf, pixelsOf, planesOf, type Corruption } from './corruption.ts';

/** Moves the image along both axes, each way, by a share of its sides in whole pixels; background comes in. */
export const shift: Corruption = (image, amount, random, into) => {
  const [, height, width] = image.shape;
  const step = (side: number) => (2 * random.below(2) - 1) * Math.min(side - 1, pixelsOf(amount, side));
  const [dx, dy] = [step(width), step(height)];
  for (const { plane, start } of planesOf(image)) {
    into.fill(backgroundOf(plane, image.shape), start, start + plane.length);
    for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
      const from = (y - dy) * width;
      const row = plane.subarray(from + Math.max(0, -dx), from + Math.min(width, width - dx));
      into.set(row, start + y * width + Math.max(0, dx));
    }
  }
};

/**
 * Turns the image about its middle, bilinear, one way or the other; background comes in. The amount is the tangent of
 * half the angle, of which cosine and sine are rational: 1 is 90 degrees.
 */
export const rotate: Corruption = (image, amount, random, into) => {
  const [, height, width] = image.shape;
  const t = amount * (2 * random.below(2) - 1);
  const [cosine, sine] = [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  for (const { plane, start } of planesOf(image)) {
    const background = backgroundOf(plane, image.shape);
    const pixel = (x: number, y: number) =>
      x >= 0 && x < width && y >= 0 && y < height ? plane[y * width + x]! : background;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const fromX = middleX + cosine * (x - middleX) + sine * (y - middleY);
        const fromY = middleY - sine * (x - middleX) + cosine * (y - middleY);
        const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
        const [right, bottom] = [fromX - left, fromY - top];
        const upper = (1 - right) * pixel(left, top) + right * pixel(left + 1, top);
        const lower = (1 - right) * pixel(left, top + 1) + right * pixel(left + 1, top + 1);
        into[start + y * width + x] = (1 - bottom) * upper + bottom * lower;
      }
    }
  }
};

/**
 * Hides a square behind background; the amount is its side in shares of the shorter side of the image, its place any
 * within the image.
 */
export const occlude: Corruption = (image, amount, random, into) => {
  const [, height, width] = image.shape;
  const side = pixelsOf(amount, Math.min(height, width));
  // Places in shares of what is free, so that with one seed a larger square covers a smaller one.
  const place = (length: number) => Math.floor(random.uniform() * (length - side + 1));
  const [left, top] = [place(width), place(height)];
  for (const { plane, start } of planesOf(image)) {
    into.set(plane, start);
    const background = backgroundOf(plane, image.shape);
    for (let y = top; y < top + side; y++) {
      const from = start + y * width + left;
      into.fill(background, from, from + side);
    }
  }
};

/** Shrinks each side to the share that is the amount, by area, and shows the fewer pixels as blocks. */
export const pixelate: Corruption = (image, amount, _random, into) => {
  const [channels, height, width] = image.shape;
  const [rows, columns] = [pixelsOf(amount, height), pixelsOf(amount, width)];
  const { pixels } = resize(image, rows, columns);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      const row = channel * rows + Math.floor(((y + 0.5) * rows) / height);
      for (let x = 0; x < width; x++) {
        const column = Math.floor(((x + 0.5) * columns) / width);
        into[(channel * height + y) * width + x] = pixels[row * columns + column]!;
      }
    }
  }
};
