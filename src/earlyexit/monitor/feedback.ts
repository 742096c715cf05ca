import { createDataset } from '../../data/dataset.ts';
import type { Dataset, ImageShape } from '../../data/dataset.ts';
import { ArgumentError, ShapeError } from '../../errors.ts';

export interface FeedbackOptions {
  readonly shape: ImageShape;
  readonly classes: number;
  /** Labelled samples kept: the latest. */
  readonly labelled: number;
  /** Samples that wait for their label: the latest. */
  readonly waiting: number;
}

/** Samples whose labels come later than they do, or not at all: those labelled become a data set. */
export class Feedback {
  readonly #options: FeedbackOptions;
  readonly #waiting = new Map<string, Uint8Array>();
  #labelled: { readonly pixels: Uint8Array; readonly label: number }[] = [];

  constructor(options: FeedbackOptions) {
    this.#options = options;
  }

  /** Labelled samples. */
  get count(): number {
    return this.#labelled.length;
  }

  /** Keeps a copy of a sample's pixels until its label comes. The longest waiting is given up for one too many. */
  remember(id: string, pixels: Uint8Array): void {
    const { shape, waiting } = this.#options;
    const size = shape[0] * shape[1] * shape[2];
    if (!(pixels instanceof Uint8Array) || pixels.length !== size) {
      throw new ShapeError(`feedback: expected a Uint8Array of ${size} pixels, got ${pixels?.length} values`);
    }
    this.#waiting.delete(id);
    this.#waiting.set(id, pixels.slice());
    if (this.#waiting.size > waiting) this.#waiting.delete(this.#waiting.keys().next().value!);
  }

  /** False if nothing is known of this sample, any more or yet. @throws ArgumentError for a label that is none */
  label(id: string, label: number): boolean {
    const { classes, labelled } = this.#options;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new ArgumentError(`feedback: expected a label from 0 to ${classes - 1}, got ${label}`);
    }
    const pixels = this.#waiting.get(id);
    if (!pixels) return false;
    this.#waiting.delete(id);
    this.#labelled.push({ pixels, label });
    if (this.#labelled.length > labelled) this.#labelled.shift();
    return true;
  }

  /** From now on only samples that are remembered from now on count: those before were of another time. */
  clear(): void {
    this.#waiting.clear();
    this.#labelled = [];
  }

  dataset(): Dataset {
    const { shape, classes } = this.#options;
    const size = shape[0] * shape[1] * shape[2];
    const images = new Uint8Array(this.count * size);
    this.#labelled.forEach(({ pixels }, index) => images.set(pixels, index * size));
    const labels = Uint16Array.from(this.#labelled, ({ label }) => label);
    const classNames = Array.from({ length: classes }, (_, index) => String(index));
    return createDataset({ name: 'feedback', shape, images, labels, classNames });
  }
}
