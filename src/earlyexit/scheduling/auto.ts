// What `auto` and plans need beyond the policies: loaded when the first of them is compiled, and not before.
export { DriftWatch } from './drift.ts';
export { explainPlan } from './explain.ts';
export { measurePlan } from './measure.ts';
