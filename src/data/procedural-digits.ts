import { ArgumentError } from '../errors.ts';
import { Random } from '../random.ts';
import { createDataset, type Dataset, type DatasetParts } from './dataset.ts';
import { DIGIT_STYLES } from './digit-strokes.ts';
import { drawLine, flatten, type Canvas, type Point, type Stroke } from './strokes.ts';

const SIZE = 28;
const CLASSES = 10;

export interface ProceduralOptions {
  readonly count: number;
  readonly seed: number;
  /** In [0, 1]: one for all samples, or the ends of the range it is drawn from. Left out: `[0, 1]`. */
  readonly difficulty?: number | readonly [low: number, high: number];
}

/**
 * Digits drawn from strokes, white on black, 1 x 28 x 28, as many of each class (to within one) in shuffled order, each
 * with the difficulty it was made with. The same bytes on every machine: integer random numbers and + - * / sqrt only.
 *
 * @throws ArgumentError for a count, seed or difficulty outside its range
 */
export function proceduralDigits({ count, seed, difficulty = [0, 1] }: ProceduralOptions): Dataset {
  return generate(`procedural(seed ${seed})`, new Random(seed), count, difficulty);
}

/**
 * Procedural digits in three parts of independent streams: no sample depends on the size of another part.
 *
 * @throws ArgumentError for a seed or count outside its range
 */
export function proceduralSplit(
  { seed, train = 5000, validation = 1000, test = 1000 }: {
    seed: number;
    train?: number;
    validation?: number;
    test?: number;
  },
): DatasetParts {
  const random = new Random(seed);
  const part = (name: string, count: number) =>
    generate(`procedural(seed ${seed})/${name}`, random.split(name), count, [0, 1]);
  return { train: part('train', train), validation: part('validation', validation), test: part('test', test) };
}

function generate(
  name: string,
  random: Random,
  count: number,
  difficulty: number | readonly [low: number, high: number],
): Dataset {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new ArgumentError(`proceduralDigits: expected count to be an integer >= 1, got ${count}`);
  }
  const [low, high] = typeof difficulty === 'number' ? [difficulty, difficulty] : difficulty;
  if (!(low >= 0 && low <= high && high <= 1)) {
    throw new ArgumentError(`proceduralDigits: expected 0 <= difficulty <= 1, in order, got [${low}, ${high}]`);
  }
  const labels = random.split('labels').shuffle(Uint8Array.from({ length: count }, (_, sample) => sample % CLASSES));
  const difficulties = new Float32Array(count);
  const images = new Uint8Array(count * SIZE * SIZE);
  labels.forEach((label, sample) => {
    const stream = random.split(sample);
    difficulties[sample] = stream.between(low, high);
    drawDigit(label, difficulties[sample]!, stream, images.subarray(sample * SIZE * SIZE, (sample + 1) * SIZE * SIZE));
  });
  const classNames = Array.from({ length: CLASSES }, (_, digit) => String(digit));
  return createDataset({ name, shape: [1, SIZE, SIZE], images, labels, classNames, difficulty: difficulties });
}

/** Every constant below is an amount at difficulty 0 plus what difficulty 1 adds to it. */
function drawDigit(digit: number, difficulty: number, random: Random, pixels: Uint8Array): void {
  const canvas: Canvas = { size: SIZE, ink: new Float64Array(SIZE * SIZE) };
  const styles = DIGIT_STYLES[digit]!;
  const place = handwriting(difficulty, random);
  const radius = 1.1 + random.between(-1, 1) * (0.15 + 0.35 * difficulty);
  const ink = 1 - random.uniform() * 0.35 * difficulty;
  for (const stroke of styles[random.below(styles.length)]!) {
    drawLine(canvas, flatten(shaken(stroke, 0.015 + 0.06 * difficulty, random)).map(place), { radius, ink });
  }
  occlude(canvas, difficulty, random);
  clutter(canvas, difficulty, random);
  addNoise(canvas, 0.32 * difficulty * difficulty, random);
  canvas.ink.forEach((value, at) => {
    pixels[at] = Math.round(Math.min(1, Math.max(0, value)) * 255);
  });
}

/** Moves each control point on its own; the two halves of a corner stay together. */
function shaken(stroke: Stroke, amount: number, random: Random): Stroke {
  const moved: Point[] = [];
  stroke.forEach(([x, y], at) => {
    const previous = stroke[at - 1];
    const isCorner = previous !== undefined && previous[0] === x && previous[1] === y;
    const shift = () => random.between(-amount, amount);
    moved.push(isCorner ? moved[at - 1]! : [x + shift(), y + shift()]);
  });
  return moved;
}

/** Size, width, slant, turn and place of one digit: a map from the unit box of its strokes to pixels. */
function handwriting(difficulty: number, random: Random): (point: Point) => Point {
  const vary = (base: number, more: number) => random.between(-1, 1) * (base + more * difficulty);
  const height = 19 * (1 + vary(0.04, 0.1) - 0.3 * difficulty * random.uniform());
  const width = height * (0.66 + vary(0.04, 0.2));
  const shear = vary(0.06, 0.35);
  // A turn by 2 atan(t): its cosine and sine are rational in t.
  const t = vary(0.02, 0.17);
  const cosine = (1 - t * t) / (1 + t * t);
  const sine = (2 * t) / (1 + t * t);
  const centreX = (SIZE - 1) / 2 + vary(0.5, 2.5);
  const centreY = (SIZE - 1) / 2 + vary(0.5, 2.5);
  return ([x, y]) => {
    const down = (y - 0.5) * height;
    const right = (x - 0.5) * width - shear * down;
    return [centreX + cosine * right - sine * down, centreY + sine * right + cosine * down];
  };
}

/** Wipes a square near the middle of the picture. */
function occlude({ size, ink }: Canvas, difficulty: number, random: Random): void {
  if (random.uniform() >= 0.8 * difficulty * difficulty) return;
  const side = 3 + random.below(1 + Math.floor(4 * difficulty));
  const [left, top] = [5 + random.below(19 - side), 5 + random.below(19 - side)];
  for (let y = top; y < top + side; y++) ink.fill(0, y * size + left, y * size + left + side);
}

/** Draws short bent strokes that belong to no digit. */
function clutter(canvas: Canvas, difficulty: number, random: Random): void {
  const strokes = random.below(1 + Math.floor(4.5 * difficulty));
  for (let drawn = 0; drawn < strokes; drawn++) {
    const [x, y] = [random.between(0, SIZE), random.between(0, SIZE)];
    const near = () => random.between(-8, 8);
    const stroke: Stroke = [[x, y], [x + near(), y + near()], [x + near(), y + near()]];
    drawLine(canvas, flatten(stroke), { radius: random.between(0.3, 0.9), ink: random.between(0.3, 0.9) });
  }
}

function addNoise({ ink }: Canvas, amplitude: number, random: Random): void {
  for (let at = 0; at < ink.length; at++) ink[at] = ink[at]! + random.between(-amplitude, amplitude);
}
