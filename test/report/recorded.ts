import type { Latency } from '../../src/earlyexit/judgement/latency.ts';
import type { ScoreTable } from '../../src/earlyexit/judgement/scores.ts';
import type { Findings, ModelFindings, Recorded } from '../../src/report/findings.ts';
import { describeData } from '../../src/report/findings.ts';
import { randomTable } from '../earlyexit/score-tables.ts';

const latency: Latency = {
  times: { early: [0.4, 0.5, 0.6, 2], full: [1, 1.1, 1.2, 1.9] },
  reads: 1,
  submits: 1,
  dispatches: 5,
};

/** A model of heads that cost 10, whose exit k costs 100 k. */
export function recorded(test: ScoreTable, changes: Partial<Recorded> = {}): Recorded {
  const exits = test.exits.length;
  const heads = test.exits.map(() => 10);
  return {
    name: 'net.safetensors',
    network: { name: 'net', macs: { full: 100 * exits - 10 * (exits - 1), toExit: test.macs, heads } },
    criterion: { kind: 'entropy', thresholds: Array(exits - 1).fill(0.4) },
    origin: 'chosen on by hand',
    test,
    validation: randomTable(exits, 40, 9),
    latency,
    ...changes,
  };
}

export const findingsOf = (test: ScoreTable, ...models: ModelFindings[]): Findings => ({
  data: describeData(test.dataset),
  adapter: 'an adapter',
  date: '2026-11-22',
  versions: { exitgpu: '0.1.0' },
  models,
  plain: [],
});
