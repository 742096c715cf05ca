import { ArgumentError } from '../../errors.ts';
import type { Classifier, ClassifierInput, ClassifyOptions, Prediction } from '../classifier.ts';
import { minDepth } from '../criteria.ts';
import type { Criterion } from '../criteria.ts';
import { scoreExits } from '../judgement/scores.ts';
import type { ScoreTable } from '../judgement/scores.ts';
import { Feedback } from './feedback.ts';
import type { ExitHistogram } from './histograms.ts';
import { Monitor } from './monitor.ts';
import type { Alarm, MonitorOptions, MonitorState } from './monitor.ts';
import { referenceOf } from './reference.ts';
import type { Reference } from './reference.ts';

export interface SupervisorOptions extends MonitorOptions {
  /** Calls between two looks at the histograms; 64 where left out, 0 for `check()` alone. */
  readonly every?: number;
  /** After an alarm samples stay at least until this exit; where left out the criterion stays. */
  readonly fallBackTo?: number | undefined;
  /**
   * After an alarm, chooses a criterion anew, on what every exit says of the labelled samples that came since: with
   * `certify`, say, whose guarantee then holds for them. Where left out the fall-back stays.
   */
  readonly recalibrate?: ((table: ScoreTable) => Criterion | Promise<Criterion>) | undefined;
  /** Labelled samples to do so with; 1,000 where left out. */
  readonly enough?: number;
  /** Samples kept that wait for their label; 10,000 where left out. */
  readonly waiting?: number;
  /** After each look, with what was counted since the last one and the alarms that it led to. */
  readonly onReading?: ((histograms: readonly ExitHistogram[], alarms: readonly Alarm[]) => void) | undefined;
  /** With the table that the criterion was chosen on. */
  readonly onRecalibrated?: ((criterion: Criterion, table: ScoreTable) => void) | undefined;
}

/** What a supervisor knows, as JSON; of the samples that feedback was or will be given of, nothing. */
export interface SupervisorState {
  readonly monitor: MonitorState;
  readonly reference: Reference;
  readonly criterion: Criterion;
  readonly fallenBack: boolean;
}

/**
 * Classifies, looks now and then at what was counted meanwhile, and acts on alarms: falls back to deeper exits, and
 * once enough of the samples that came since have been labelled, recalibrates and watches anew. While it has fallen
 * back it does not watch: nothing is known of how samples should then leave.
 */
export class Supervisor {
  readonly classifier: Classifier;
  readonly #options: SupervisorOptions;
  readonly #feedback: Feedback;
  #monitor: Monitor;
  /** That of before the fall-back. */
  #criterion: Criterion;
  #fallenBack = false;
  #calls = 0;
  #checking: Promise<Alarm[]> | undefined;

  /**
   * @param classifier compiled with `monitor: reference` and without `ensemble`, under which scores are others
   * @param saved the state of an earlier supervisor, whose reference and criterion then hold
   * @throws ArgumentError for options out of range, ModelFileError for a state that is none
   */
  constructor(classifier: Classifier, reference: Reference, options: SupervisorOptions = {}, saved?: SupervisorState) {
    const { every = 64, enough = 1000, waiting = 10_000, fallBackTo } = options;
    for (const [name, value, least] of [['every', every, 0], ['enough', enough, 1], ['waiting', waiting, 1]] as const) {
      if (Number.isInteger(value) && value >= least) continue;
      throw new ArgumentError(`Supervisor: expected ${name}, ${least} or more, got ${value}`);
    }
    const { network } = classifier.model;
    this.classifier = classifier;
    this.#options = options;
    this.#feedback = new Feedback({ shape: network.input, classes: network.classes, labelled: enough, waiting });
    this.#monitor = new Monitor(saved?.reference ?? reference, options, saved?.monitor);
    this.#criterion = saved?.criterion ?? classifier.criterion;
    if (fallBackTo !== undefined) this.#deeper(fallBackTo);
    if (!saved) return;
    classifier.setCriterion(this.#criterion);
    if (saved.fallenBack) this.#fallBack();
  }

  get monitor(): Monitor {
    return this.#monitor;
  }

  /** Since an alarm, until recalibrated. */
  get fallenBack(): boolean {
    return this.#fallenBack;
  }

  /** As the classifier's. A look that fails rejects the call that it was due with. */
  async classify(input: ClassifierInput, options?: ClassifyOptions): Promise<Prediction> {
    const prediction = await this.classifier.classify(input, options);
    await this.#called();
    return prediction;
  }

  /** As the classifier's. A look that fails rejects the call that it was due with. */
  async classifyBatch(input: ClassifierInput, options?: ClassifyOptions): Promise<Prediction[]> {
    const predictions = await this.classifier.classifyBatch(input, options);
    await this.#called();
    return predictions;
  }

  /** Looks at what was counted since the last look; calls that come meanwhile get the same. @throws DeviceLostError */
  check(): Promise<Alarm[]> {
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  /** Keeps a copy of a sample, pixels 0..255, so that its label may come later. @throws ShapeError */
  remember(id: string, pixels: Uint8Array): void {
    this.#feedback.remember(id, pixels);
  }

  /**
   * The label of a sample remembered; false if it is so no more. Where it is the last one needed, recalibrates before
   * it resolves; if that fails it stays fallen back, and samples are collected anew.
   * @throws ArgumentError for a label that is none, DeviceLostError, what `recalibrate` throws
   */
  async label(id: string, label: number): Promise<boolean> {
    const known = this.#feedback.label(id, label);
    const { recalibrate, enough = 1000 } = this.#options;
    if (recalibrate && this.#fallenBack && this.#feedback.count >= enough) await this.#recalibrate(recalibrate);
    return known;
  }

  toJSON(): SupervisorState {
    return {
      monitor: this.#monitor.toJSON(),
      reference: this.#monitor.reference,
      criterion: this.#criterion,
      fallenBack: this.#fallenBack,
    };
  }

  async #called(): Promise<void> {
    const { every = 64 } = this.#options;
    if (every > 0 && ++this.#calls % every === 0) await this.check();
  }

  async #check(): Promise<Alarm[]> {
    const histograms = await this.classifier.readHistograms();
    const alarms = this.#fallenBack ? [] : this.#monitor.add(histograms);
    if (alarms.length > 0) this.#fallBack();
    this.#options.onReading?.(histograms, alarms);
    return alarms;
  }

  #fallBack(): void {
    const { fallBackTo, recalibrate } = this.#options;
    if (fallBackTo === undefined && !recalibrate) return;
    this.#fallenBack = true;
    this.#feedback.clear();
    if (fallBackTo !== undefined) this.classifier.setCriterion(this.#deeper(fallBackTo));
  }

  /**
   * The criterion with a least depth; temperatures belong to the whole.
   * @throws ArgumentError for an exit that is none, or a criterion in WGSL
   */
  #deeper(exit: number): Criterion {
    const { stages } = this.classifier.model.network;
    if (!(Number.isInteger(exit) && exit >= 2 && exit <= stages.length)) {
      throw new ArgumentError(`Supervisor: expected fallBackTo, an exit from 2 to ${stages.length}, got ${exit}`);
    }
    if (this.#criterion.kind === 'wgsl') {
      throw new ArgumentError('Supervisor: expected a built-in criterion with fallBackTo, got one in WGSL');
    }
    const { temperatures, ...criterion } = this.#criterion;
    return { ...minDepth(exit, criterion), ...(temperatures && { temperatures }) };
  }

  async #recalibrate(recalibrate: NonNullable<SupervisorOptions['recalibrate']>): Promise<void> {
    const dataset = this.#feedback.dataset();
    // Labels that come meanwhile are for the next time.
    this.#feedback.clear();
    const table = await scoreExits(this.classifier.model, dataset);
    const criterion = await recalibrate(table);
    // By the bins that the classifier counts with.
    const reference = referenceOf(table, criterion, { bins: this.#monitor.reference, exits: this.classifier.exits });
    this.classifier.setCriterion(criterion);
    // What left under the criterion before is no part of what is watched from now on.
    await this.classifier.readHistograms();
    this.#criterion = criterion;
    this.#monitor = new Monitor(reference, this.#options);
    this.#fallenBack = false;
    this.#options.onRecalibrated?.(criterion, table);
  }
}
