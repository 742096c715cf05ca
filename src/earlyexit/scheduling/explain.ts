import { estimateChoice, perCallMs } from './cost-model.ts';
import { range, withBestGrids } from './planner.ts';
import type { Plan } from './planner.ts';

/** What was picked and why, in plain lines: the alternatives, and for each checkpoint what it costs and saves. */
export function explainPlan(plan: Plan): string {
  const { costs, shares, exits, grids, policy, alternatives } = plan;
  const percent = shares.map((share) => `${(100 * share).toFixed(1)} %`).join(', ');
  const rows = alternatives.map((alternative, index) => {
    const name = index === alternatives.length - 1 ? 'without exits' : alternative.policy;
    const times = [alternative.expectedMs, alternative.wasteMs].map((time) => milliseconds(time).padStart(12));
    return `  ${name.padEnd(13)}${times.join('')}  ${alternative.exits.join(' ')}`;
  });
  return [
    `${costs.network} on ${costs.adapter}, batch ${costs.batch}: ${policy}, exits ${exits.join(' ')}, ` +
      `grids ${grids.join(' ')}`,
    `expected ${milliseconds(plan.expectedMs)} a call; round trip ${milliseconds(costs.roundTripMs)}`,
    `leaving at exits 1 to ${shares.length}: ${percent}`,
    `  ${'policy'.padEnd(13)}${'answer'.padStart(12)}${'waste'.padStart(12)}  exits`,
    ...rows,
    ...range(shares.length - 1).map((exit) => explainExit(plan, exit)),
  ].join('\n');
}

/** Its cost is that of a checkpoint at which nobody leaves; what it saves is what then changes when they do. */
function explainExit({ costs, shares, policy, exits }: Plan, exit: number): string {
  const kept = exits.includes(exit);
  const without = withBestGrids(costs, shares, policy, exits.filter((other) => other !== exit));
  const checked = withBestGrids(costs, shares, policy, [...new Set([...exits, exit])].sort((a, b) => a - b));
  const unused = estimateChoice(costs, postponed(shares, checked.exits, exit), checked);
  const cost = milliseconds(perCallMs(unused) - perCallMs(without));
  const saved = milliseconds(perCallMs(unused) - perCallMs(checked));
  return kept
    ? `exit ${exit} kept: its check costs ${cost} a call and saves ${saved}`
    : `exit ${exit} dropped: its check would cost ${cost} a call and save ${saved}`;
}

/** The shares as if all who leave at a kept exit, some of them bound for dropped ones before it, left one later. */
function postponed(shares: readonly number[], exits: readonly number[], exit: number): number[] {
  const before = exits[exits.indexOf(exit) - 1] ?? 0;
  const moved = shares.slice(before, exit).reduce((sum, share) => sum + share, 0);
  return shares.map((share, index) => (index === exit ? share + moved : index >= before && index < exit ? 0 : share));
}

function milliseconds(value: number): string {
  return `${value.toFixed(3)} ms`;
}
