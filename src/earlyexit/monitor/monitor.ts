import { ArgumentError } from '../../errors.ts';
import { array, number, object, oneOf, optional, string } from '../../json.ts';
import type { Checked } from '../../json.ts';
import { sumOf } from '../judgement/answers.ts';
import { Adwin } from './adwin.ts';
import { Cusum, exitCharts } from './cusum.ts';
import { joined, joinRare, ks, ksThreshold, psi, psiThreshold } from './distances.ts';
import { histogramsOf } from './histograms.ts';
import type { ExitHistogram, Outcome } from './histograms.ts';
import { checkReference, leftAt } from './reference.ts';
import type { Reference } from './reference.ts';

/**
 * What watches: `exits`, cumulative sums of the share that leaves at each exit; `labels` and `scores`, the population
 * stability index of the labels predicted and of the scores samples leave with; `scoreOrder`, Kolmogorov and Smirnov's
 * distance of those scores at each exit; `depth`, the mean depth by ADWIN, which compares with what came before and not
 * with the reference.
 */
export const DETECTORS = ['exits', 'labels', 'scores', 'scoreOrder', 'depth'] as const;
export type DetectorName = (typeof DETECTORS)[number];

const alarm = object({
  detector: oneOf(DETECTORS),
  /** Samples seen when it was given. */
  samples: number({ min: 0, integer: true }),
  /** Of one exit, counted from 1. */
  exit: optional(number({ min: 1, integer: true })),
  /** What was found, and what it should stay below: nats, an index, a distance; of `depth`, the samples forgotten. */
  found: number(),
  threshold: number(),
});
export type Alarm = Readonly<Checked<typeof alarm>>;

export interface MonitorOptions {
  /** The probability that any detector gives an alarm within `horizon` samples to which nothing has happened; 0.01. */
  readonly falseAlarms?: number;
  /** 10,000 where left out. */
  readonly horizon?: number;
  /** Samples that labels and scores are compared with the reference by; 500 where left out. */
  readonly window?: number;
  readonly onAlarm?: ((alarm: Alarm) => void) | undefined;
}

const whole = number({ min: 0, integer: true });
const state = object({
  /** The reference's fingerprint. */
  reference: string,
  /** Samples that left at each exit. */
  left: array(whole),
  alarms: array(alarm),
  /** Alarms given by each detector, also those that are kept no more. */
  given: object(Object.fromEntries(DETECTORS.map((name) => [name, whole])) as Record<DetectorName, typeof whole>),
  cusum: array(number({ min: 0 })),
  depth: array(array(object({ count: whole, sum: number(), squares: number() }))),
  window: array(object({ labels: array(whole), scores: array(whole), notFinite: whole })),
});
/** What a monitor knows, as JSON. */
export type MonitorState = Checked<typeof state>;

/** In a window, and so in order too: below, the index is not distributed as it should be. */
const LEAST_EXPECTED = 20;
/** The latest are kept. */
const MOST_ALARMS = 100;

/** Samples that left at an exit, to which more are added. */
interface Held {
  readonly labels: number[];
  readonly scores: number[];
  notFinite: number;
}

const emptyHeld = ({ edges, classes }: Reference): Held[] =>
  edges.map(({ length }) => ({
    labels: new Array<number>(classes).fill(0),
    scores: new Array<number>(length + 1).fill(0),
    notFinite: 0,
  }));

/** The labels of samples of all exits, `[classes]`; those that were not finite have none. */
const labelsOf = (exits: readonly { readonly labels: readonly number[] }[]): number[] =>
  exits[0]!.labels.map((_, label) => exits.reduce((sum, { labels }) => sum + labels[label]!, 0));

/** The scores of all exits one behind the other, and at each those that were not finite. */
const scoresOf = (exits: readonly { readonly scores: readonly number[]; readonly notFinite: number }[]): number[] =>
  exits.flatMap(({ scores, notFinite }) => [...scores, notFinite]);

/**
 * Watches where samples leave, with what labels and scores, for a change against a reference. Knows no GPU: it is fed
 * with the histograms that a classifier reads, or with single outcomes.
 *
 * Each detector may give a false alarm with the same part of `falseAlarms` (Bonferroni). Each starts anew after an
 * alarm. What the bounds rest on: samples that are independent and, where nothing has happened, distributed as those of
 * the reference, whose own size is taken into account. Samples that come in groups, by writer or by time of day, are
 * not: that is a change, and found as one.
 */
export class Monitor {
  readonly reference: Reference;
  readonly #options: Required<Omit<MonitorOptions, 'onAlarm'>>;
  readonly #onAlarm: ((alarm: Alarm) => void) | undefined;
  readonly #cusum: Cusum;
  readonly #depth: Adwin;
  readonly #labelCells: readonly number[];
  readonly #scoreCells: readonly number[];
  #window: Held[];
  #left: number[];
  #alarms: Alarm[] = [];
  #given = Object.fromEntries(DETECTORS.map((name) => [name, 0])) as Record<DetectorName, number>;

  /**
   * @param saved the state of an earlier monitor of the same reference, as `toJSON()` gave it
   * @throws ArgumentError for options out of range or a state of another reference, ModelFileError for one that is none
   */
  constructor(reference: Reference, options: MonitorOptions = {}, saved?: unknown) {
    const { falseAlarms = 0.01, horizon = 10_000, window = 500, onAlarm } = options;
    checkReference('Monitor', reference);
    if (!(falseAlarms > 0 && falseAlarms < 1)) {
      throw new ArgumentError(`Monitor: expected falseAlarms between 0 and 1, got ${falseAlarms}`);
    }
    for (const [name, value] of Object.entries({ horizon, window })) {
      if (Number.isInteger(value) && value >= 1) continue;
      throw new ArgumentError(`Monitor: expected a ${name} of 1 sample or more, got ${value}`);
    }
    this.reference = reference;
    this.#options = { falseAlarms, horizon, window };
    this.#onAlarm = onAlarm;
    const { exits, samples } = reference;
    const each = { falseAlarms: falseAlarms / DETECTORS.length, horizon };
    const least = (LEAST_EXPECTED * samples) / window;
    this.#labelCells = joinRare(labelsOf(exits), least);
    this.#scoreCells = joinRare(scoresOf(exits), least);
    this.#cusum = new Cusum(exitCharts(exits.map(leftAt)), each);
    this.#window = emptyHeld(reference);
    this.#left = exits.map(() => 0);
    const before = saved === undefined ? undefined : this.#checked(saved);
    this.#depth = new Adwin(each, before?.depth);
    if (!before) return;
    this.#left = before.left;
    this.#alarms = before.alarms;
    this.#given = before.given;
    this.#cusum.sums.set(before.cusum);
    this.#window = before.window;
  }

  /** Samples seen. */
  get samples(): number {
    return sumOf(this.#left);
  }

  /** Those that left at each exit. */
  get left(): readonly number[] {
    return this.#left;
  }

  /** The latest hundred, the oldest first. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /** The share that leaves at each exit in order. */
  get referenceShares(): readonly number[] {
    return this.reference.exits.map((exit) => leftAt(exit) / this.reference.samples);
  }

  /** How many alarms each detector has given. */
  get given(): Readonly<Record<DetectorName, number>> {
    return this.#given;
  }

  /** The highest of the cumulative sums of the exits, in nats, and where it gives an alarm. */
  get exitEvidence(): { readonly sum: number; readonly threshold: number } {
    return { sum: Math.max(0, ...this.#cusum.sums), threshold: this.#cusum.threshold };
  }

  /** Takes samples in, and gives the alarms that they led to. @throws ArgumentError for bins of another reference */
  add(histograms: readonly ExitHistogram[]): Alarm[] {
    const { classes, edges } = this.reference;
    const fits = histograms.length === edges.length && histograms.every(({ labels, scores }, index) =>
      labels.length === classes && scores.length === edges[index]!.length + 1);
    if (!fits) throw new ArgumentError('Monitor: expected histograms by the bins of the reference, got others');
    const counts = histograms.map(({ count }) => count);
    const count = sumOf(counts);
    if (count === 0) return [];
    this.#left = this.#left.map((before, index) => before + counts[index]!);
    histograms.forEach(({ labels, scores, notFinite }, index) => {
      const held = this.#window[index]!;
      labels.forEach((more, label) => (held.labels[label]! += more));
      scores.forEach((more, bin) => (held.scores[bin]! += more));
      held.notFinite += notFinite;
    });
    const alarms = [...this.#judgeExits(counts), ...this.#judgeDepth(counts, count), ...this.#judgeWindow()];
    this.#alarms = [...this.#alarms, ...alarms].slice(-MOST_ALARMS);
    for (const { detector } of alarms) this.#given[detector]++;
    for (const one of alarms) this.#onAlarm?.(one);
    return alarms;
  }

  /** The same for single samples. @throws ArgumentError for an exit, a label or a score that is none */
  addOutcomes(outcomes: Iterable<Outcome>): Alarm[] {
    return this.add(histogramsOf(outcomes, this.reference.classes, this.reference));
  }

  toJSON(): MonitorState {
    return {
      reference: this.reference.fingerprint,
      left: this.#left,
      alarms: this.#alarms,
      given: { ...this.#given },
      cusum: [...this.#cusum.sums],
      depth: this.#depth.sizes.map((list) => [...list]),
      window: structuredClone(this.#window),
    };
  }

  #checked(saved: unknown): MonitorState {
    const before = state(saved, 'monitor');
    const lengths = (exits: readonly Held[]): string =>
      exits.map(({ labels, scores }) => [labels.length, scores.length]).join(' ');
    const fits =
      before.reference === this.reference.fingerprint &&
      before.left.length === this.#left.length &&
      before.cusum.length === this.#cusum.sums.length &&
      lengths(before.window) === lengths(this.#window);
    if (!fits) throw new ArgumentError('Monitor: expected a state of the same reference, got that of another');
    return before;
  }

  #judgeExits(counts: readonly number[]): Alarm[] {
    const over = this.#cusum.add(counts);
    if (!over) return [];
    this.#cusum.reset();
    const { chart: { exit }, sum: found } = over;
    return [{ detector: 'exits', samples: this.samples, exit, found, threshold: this.#cusum.threshold }];
  }

  /** Depth is 0 at the first exit and 1 at the last. */
  #judgeDepth(counts: readonly number[], count: number): Alarm[] {
    if (counts.length < 2) return [];
    const deepest = counts.length - 1;
    const moment = (power: number): number =>
      counts.reduce((sum, each, index) => sum + each * (index / deepest) ** power, 0);
    const before = this.#depth.count;
    if (!this.#depth.add({ count, sum: moment(1), squares: moment(2) })) return [];
    const found = before + count - this.#depth.count;
    return [{ detector: 'depth', samples: this.samples, exit: undefined, found, threshold: 0 }];
  }

  #judgeWindow(): Alarm[] {
    const window = this.#window;
    const seen = window.map(leftAt);
    const count = sumOf(seen);
    if (count < this.#options.window) return [];
    this.#window = emptyHeld(this.reference);
    const { exits, samples } = this.reference;
    const { falseAlarms, horizon } = this.#options;
    // As many windows as fit the horizon share what may be risked there.
    const alpha = (falseAlarms / DETECTORS.length) * Math.min(1, count / horizon);
    const over = (detector: DetectorName, found: number, threshold: number, exit?: number): Alarm[] =>
      found > threshold ? [{ detector, samples: this.samples, exit, found, threshold }] : [];
    const stability = (detector: DetectorName, cells: readonly number[], of: (held: typeof exits) => number[]) => {
      const many = (cells.at(-1) ?? 0) + 1;
      if (many < 2) return [];
      const found = psi(joined(of(exits), cells), joined(of(window), cells));
      return over(detector, found, psiThreshold(many, samples, count, alpha));
    };
    const order = exits.flatMap((exit, index) => {
      const [m, n] = [leftAt(exit) - exit.notFinite, seen[index]! - window[index]!.notFinite];
      if (m === 0 || n === 0) return [];
      const found = ks(exit.scores, window[index]!.scores);
      return over('scoreOrder', found, ksThreshold(m, n, alpha / exits.length), index + 1);
    });
    return [
      ...stability('labels', this.#labelCells, labelsOf),
      ...stability('scores', this.#scoreCells, scoresOf),
      ...order,
    ];
  }
}
