import { binOf } from '../../src/earlyexit/monitor/histograms.ts';
import type { ExitHistogram, Outcome } from '../../src/earlyexit/monitor/histograms.ts';
import type { Reference } from '../../src/earlyexit/monitor/reference.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { replay } from '../../src/earlyexit/judgement/thresholds.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import type { Scores } from '../../src/earlyexit/records.ts';
import { Random } from '../../src/random.ts';

export const CLASSES = 10;
export const criterion = entropy(0.05, 0.2);

/** What three exits, each better than the last, say of a sample: foreign ones are harder, and prefer some labels. */
function scores(random: Random, foreign: boolean): Scores[] {
  const doubt = foreign ? 0.35 + 0.65 * random.uniform() : random.uniform() ** 3;
  const label = foreign ? Math.floor(CLASSES * random.uniform() ** 1.5) : random.below(CLASSES);
  return [1, 0.5, 0.25].map((ease) => {
    const nats = Math.min(Math.log(CLASSES), Math.exp(9.5 * Math.sqrt(doubt * ease) - 9 + 0.6 * random.normal()));
    const confidence = Math.fround(Math.exp(-nats));
    return { label, entropy: Math.fround(nats), confidence, margin: confidence, finite: true };
  });
}

/** Of samples of which each is foreign with this probability. */
export function streamTable(samples: number, share: number, seed: number): ScoreTable {
  const random = new Random(seed);
  const rows = Array.from({ length: samples }, () => scores(random, random.uniform() < share));
  return {
    dataset: {
      name: 'stream',
      shape: [1, 1, 1],
      images: new Uint8Array(samples),
      labels: Uint8Array.from(rows, ([first]) => first!.label),
      classNames: Array.from({ length: CLASSES }, (_, label) => String(label)),
    },
    classes: CLASSES,
    macs: [100, 200, 300],
    exits: [0, 1, 2].map((exit) => rows.map((row) => row[exit]!)),
  };
}

/** The samples as they leave. */
export const outcomesOf = (table: ScoreTable): Outcome[] =>
  Array.from(replay(table, criterion), (at, sample) => ({ ...table.exits[at]![sample]!, exit: at + 1 }));

/** Draws readings from a population of outcomes, told apart once: many streams are then quick. */
export function drawing(population: readonly Outcome[], { edges, measure }: Reference) {
  const bins = Math.max(...edges.map(({ length }) => length)) + 1;
  const cells = Uint16Array.from(population, ({ exit, label, [measure]: score }) =>
    ((exit - 1) * CLASSES + label) * bins + binOf(edges[exit - 1]!, score!));
  return (random: Random, samples: number): ExitHistogram[] => {
    const drawn = new Uint32Array(edges.length * CLASSES * bins);
    for (let sample = 0; sample < samples; sample++) drawn[cells[random.below(cells.length)]!]!++;
    return edges.map((list, index) => {
      const at = (label: number, bin: number): number => drawn[(index * CLASSES + label) * bins + bin]!;
      const labels = Uint32Array.from({ length: CLASSES }, (_, label) =>
        list.reduce((sum, _, bin) => sum + at(label, bin), at(label, list.length)));
      const scores = Uint32Array.from({ length: list.length + 1 }, (_, bin) =>
        labels.reduce((sum, _, label) => sum + at(label, bin), 0));
      return { exit: index + 1, count: labels.reduce((sum, count) => sum + count, 0), labels, scores, notFinite: 0 };
    });
  };
}
