import type { ScoreTable } from './scores.ts';

/**
 * The rows of some samples, in the order of `picks`, among which one may come twice. Images and logits stay behind, and
 * with them the fingerprint: what is chosen on a part names no data that could be found again.
 */
export function pickSamples(table: ScoreTable, picks: Uint32Array, name = table.dataset.name): ScoreTable {
  const { logits: _, dataset, exits, ...rest } = table;
  const { shape, labels, classNames, difficulty } = dataset;
  return {
    ...rest,
    fingerprint: `some of ${dataset.name}`,
    dataset: {
      name,
      shape,
      classNames,
      images: new Uint8Array(),
      labels: Uint16Array.from(picks, (sample) => labels[sample]!),
      ...(difficulty && { difficulty: Float32Array.from(picks, (sample) => difficulty[sample]!) }),
    },
    exits: exits.map((scores) => Array.from(picks, (sample) => scores[sample]!)),
  };
}
