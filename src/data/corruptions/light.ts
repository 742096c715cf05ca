import { planesOf, type Corruption } from './corruption.ts';

/** Brings each channel nearer to its mean over the image: `mean + amount * (value - mean)`. */
export const contrast: Corruption = (image, amount, _random, into) => {
  for (const { plane, start } of planesOf(image)) {
    const mean = plane.reduce((sum, value) => sum + value, 0) / plane.length;
    plane.forEach((value, at) => {
      into[start + at] = mean + amount * (value - mean);
    });
  }
};

/** Raises the value of HSV, the greatest of a pixel's channels, by the amount, 1 being 255; hue and saturation stay. */
export const brightness: Corruption = ({ shape, pixels }, amount, _random, into) => {
  const [channels, height, width] = shape;
  const area = height * width;
  for (let at = 0; at < area; at++) {
    let value = 0;
    for (let channel = 0; channel < channels; channel++) value = Math.max(value, pixels[channel * area + at]!);
    const raised = Math.min(255, value + 255 * amount);
    for (let channel = 0; channel < channels; channel++) {
      const place = channel * area + at;
      into[place] = value === 0 ? raised : (pixels[place]! * raised) / value;
    }
  }
};
