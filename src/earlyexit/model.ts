import { createNormalizer } from '../data/normalization.ts';
import type { Normalization } from '../data/normalization.ts';
import type { Device } from '../device/device.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import type { LayerContext } from '../nn/layer.ts';
import { Parameters } from '../nn/parameters.ts';
import { sizeOf } from '../tensor/spec.ts';
import { Classifier } from './classifier.ts';
import type { ClassifierOptions } from './classifier.ts';
import { criterionOf, resolveCriterion } from './criteria.ts';
import type { CriterionKind } from './criteria.ts';
import type { Guarantee } from './judgement/guarantee.ts';
import type { Network } from './network.ts';
import type { PolicyKind } from './scheduling/costs.ts';
import type { HeadGradient } from './training/head-gradient.ts';

/** Thresholds, and what they were chosen on. */
export interface ChosenThresholds {
  readonly criterion: CriterionKind;
  /** One per exit but the last. */
  readonly values: readonly number[];
  /** In place of `values`, which are none: for each exit but the last, one per class that it may answer. */
  readonly classValues?: readonly (readonly number[])[];
  /** Of the logits that the scores were made from, one per exit; 1 where left out. */
  readonly temperatures?: readonly number[];
  readonly chosenOn: { readonly dataset: string; readonly fingerprint: string; readonly samples: number };
  /**
   * Most accuracy that may be lost against the full network on the data they were chosen on, as a share; left out where
   * another target or a guarantee takes its place.
   */
  readonly maxAccuracyLoss?: number;
  /** Most multiply-accumulates per sample in the mean, where that was the target. */
  readonly maxMacs?: number;
  /** Of the samples, the shares that were to leave at each exit, where those were the target. */
  readonly targetShares?: readonly number[];
  /** Most milliseconds per sample in the mean, where that was the target. */
  readonly maxMs?: number;
  /** Where the target was a deadline: the share of the samples that may take longer than `ms` milliseconds. */
  readonly deadline?: { readonly ms: number; readonly late: number };
  /** Where the target was one of time: what times were measured on, elsewhere they are others. */
  readonly timedOn?: { readonly adapter: string; readonly policy: PolicyKind };
  /** On the data they were chosen on. */
  readonly achieved: { readonly accuracy: number; readonly accuracyFull: number; readonly shares: readonly number[] };
  /** What holds beyond the data they were chosen on, where that is known. */
  readonly guarantee?: Guarantee;
}

/** One phase of a training, see `strategies.ts`. */
export interface PhaseRecord {
  readonly name: string;
  readonly epochs: number;
  /** Of each exit, at the first step. */
  readonly weights: readonly number[];
  /** How many tensors were trained. */
  readonly trained: number;
}

/** How the weights came about. */
export interface TrainingRecord {
  readonly dataset: string;
  readonly fingerprint: string;
  readonly samples: number;
  readonly seed: number;
  readonly epochs: { readonly planned: number; readonly done: number };
  readonly interrupted: boolean;
  readonly batch: number;
  /** Of each exit, at the first step if they follow a schedule. */
  readonly weights: readonly number[];
  /** Name of the schedule, where there is one. */
  readonly weightSchedule?: string;
  /** Name of the strategy; of models trained before there were strategies nothing is known. */
  readonly strategy?: string;
  /** The terms of the loss over all phases, each by name and with its options. */
  readonly loss?: readonly Readonly<Record<string, unknown>>[];
  readonly phases?: readonly PhaseRecord[];
  /** Random changes of the images, where there were any. */
  readonly augmentation?: Readonly<Record<string, number>>;
  /** Batches per step, if more than one. */
  readonly accumulate?: number;
  /** What gradients were clipped to, if they were. */
  readonly clipNorm?: number;
  /** What heads sent into the trunk, if not all. */
  readonly headGradient?: HeadGradient;
  readonly optimizer: Readonly<Record<string, unknown>>;
  readonly adapter: string;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
  /** Where there was validation, its value after each epoch; `best`: the epoch, from 1, whose weights these are. */
  readonly validation?: {
    readonly values: readonly number[];
    readonly best?: { readonly epoch: number; readonly value: number };
  };
}

export interface ModelDetails {
  /** How bytes become the numbers the network was trained on; pixels / 255 where left out. */
  readonly normalization?: Normalization;
  /** `'0'`, `'1'`, ... where left out. */
  readonly classNames?: readonly string[];
  readonly thresholds?: ChosenThresholds;
  readonly training?: TrainingRecord;
}

/** @throws ArgumentError for class names, a normalization or thresholds that do not fit the network */
export function checkDetails({ name, classes, input, stages }: Network, details: ModelDetails): void {
  const { classNames, normalization, thresholds } = details;
  if (classNames && classNames.length !== classes) {
    throw new ArgumentError(`${name}: expected ${classes} class names, got ${classNames.length}`);
  }
  createNormalizer(input, normalization);
  if (thresholds) resolveCriterion(criterionOf(thresholds), stages.length, classes);
}

/** A network with weights on a device, and what has to be known to use it. */
export class Model {
  readonly network: Network;
  readonly parameters: Parameters;
  readonly normalization: Normalization;
  readonly classNames: readonly string[];
  thresholds: ChosenThresholds | undefined;
  training: TrainingRecord | undefined;

  /** @throws ArgumentError if there is not one name per class, one mean and deviation per channel, or a usable threshold */
  constructor(network: Network, parameters: Parameters, details: ModelDetails = {}) {
    checkDetails(network, details);
    const { classes, input } = network;
    this.network = network;
    this.parameters = parameters;
    this.normalization = details.normalization ?? { mean: Array(input[0]).fill(0), std: Array(input[0]).fill(1) };
    this.classNames = details.classNames ?? Array.from({ length: classes }, (_, label) => String(label));
    this.thresholds = details.thresholds;
    this.training = details.training;
  }

  /** Fresh weights; the same for the same seed on every machine. @throws ArgumentError before anything is allocated */
  static initialize(device: Device, network: Network, { seed, ...details }: ModelDetails & { seed: number }): Model {
    checkDetails(network, details);
    return new Model(network, Parameters.initialize(device, network.parameters, seed), details);
  }

  get device(): Device {
    return this.parameters.device;
  }

  /** Numbers in one sample. */
  get sampleSize(): number {
    return sizeOf(this.network.input);
  }

  /** Compiles the network for classifying with early exits. @throws ArgumentError, GpuError */
  compile(options: ClassifierOptions = {}): Promise<Classifier> {
    return Classifier.compile(this, options);
  }

  /** Bytes 0..255 of any number of samples as the network wants them. @throws ShapeError */
  normalize(pixels: Uint8Array): Float32Array {
    if (pixels.length % this.sampleSize) {
      throw new ShapeError(`${this.network.name}: expected pixels of whole samples [${this.network.input.join(', ')}], got ${pixels.length} bytes`);
    }
    return createNormalizer(this.network.input, this.normalization)(pixels);
  }

  /** For tracing the network over these weights. */
  get context(): LayerContext {
    return { parameter: (name) => this.parameters.get(name) };
  }

  dispose(): void {
    this.parameters.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
