import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import type { Scores } from '../../src/earlyexit/records.ts';
import { Random } from '../../src/random.ts';

/** The less entropy, the more of the other two; in f32, as the kernel writes them. */
export const said = (label: number, nats: number): Scores => ({
  label,
  entropy: Math.fround(nats),
  confidence: Math.fround(1 - nats / 2),
  margin: Math.fround(1 - nats),
  finite: true,
});

export const notFinite: Scores = { label: 0, entropy: NaN, confidence: NaN, margin: NaN, finite: false };

/** Of four classes; exit k costs 100 k multiply-accumulates, heads of 10 each counted. */
export const tableOf = (labels: readonly number[], ...exits: Scores[][]): ScoreTable => ({
  dataset: {
    name: 'by hand',
    shape: [1, 1, 1],
    images: new Uint8Array(labels.length),
    labels: Uint8Array.from(labels),
    classNames: ['a', 'b', 'c', 'd'],
  },
  classes: 4,
  macs: exits.map((_, index) => 100 * (index + 1)),
  exits,
});

/** Exits that get better with depth and are the surer the more often they are right; some scores are not finite. */
export function randomTable(exits: number, samples: number, seed: number): ScoreTable {
  const random = new Random(seed);
  const labels = Array.from({ length: samples }, () => random.below(4));
  const row = (depth: number): Scores[] =>
    labels.map((label) => {
      if (random.below(20) === 0) return notFinite;
      const nats = random.uniform();
      const right = random.uniform() > nats * (1 - (0.7 * depth) / exits);
      return said(right ? label : (label + 1) % 4, nats);
    });
  return tableOf(labels, ...Array.from({ length: exits }, (_, index) => row(index + 1)));
}
