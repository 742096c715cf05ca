import { ArgumentError } from '../errors.ts';
import type { ExitKernels } from '../kernels/exit-kernels.ts';
import { exitSettings } from './criterion-steps.ts';
import { criterionOf, entropy, looksBack, resolveCriterion } from './criteria.ts';
import type { Criterion } from './criteria.ts';
import { learnedCriterion, learnsToLeave } from './learned-criterion.ts';
import type { Model } from './model.ts';
import { checkBuilt, networkIdentity } from './network.ts';
import type { ScoreBins } from './monitor/histograms.ts';
import type { Network } from './network.ts';
import { checkChoice, POLICIES } from './scheduling/costs.ts';
import type { Choice, PolicyKind } from './scheduling/costs.ts';
import type { DriftWatch } from './scheduling/drift.ts';
import type { PlanStore } from './scheduling/plan-store.ts';
import type { Plan } from './scheduling/planner.ts';
import type { StagedOptions } from './staged-program.ts';

export interface ClassifierOptions {
  /**
   * When to leave; where left out the thresholds stored in the model or, without any, the gates it has learned, or
   * `halting(0.5)` of a network with halting scores.
   */
  readonly criterion?: Criterion;
  /**
   * Checks the exits in place of the built-in kernels; `exitgpu/custom` makes it. `auto` measures the built-in ones.
   */
  readonly exitKernel?: ExitKernels;
  /** Most samples that go through the network together; 1 where left out. */
  readonly batch?: number;
  /**
   * The exits to build, ascending; all where left out. The last of them always answers, so `[k]` is the network cut off
   * at exit k, and the last exit alone is the network without exits.
   */
  readonly exits?: readonly number[];
  /**
   * How the host learns where samples leave: `readback` where left out, a plan, or `auto`, which measures this device
   * and picks policy and exits by the cost model. For the same exits answers are the same under all of them; where
   * `auto` leaves an exit out, samples leave at the next, and it may do so anew while it runs.
   */
  readonly policy?: PolicyKind | 'auto' | Plan | undefined;
  /**
   * For `auto`: the share of samples expected to leave at each exit, of all exits. With stored thresholds alone it is
   * known.
   */
  readonly shares?: readonly number[] | undefined;
  /** For `auto`: where what was measured is kept for the next time. */
  readonly store?: PlanStore | undefined;
  /** For `auto`: ends the measuring; `compile` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Exits judge, and answer by, the mean of the logits of all exits so far. */
  readonly ensemble?: boolean;
  /**
   * Most calls that run at the same time, each in memory of its own that is made when first needed; 4 where left out.
   */
  readonly concurrency?: number;
  /** Most calls that wait for their turn; a further one rejects with `QueueFullError`. 256 where left out. */
  readonly queue?: number;
  /** For traces: kernels count what they do (`trace.reached`), which slows them and takes one read more. */
  readonly count?: boolean;
  /**
   * Counts on the GPU where samples leave, with what labels and scores, for `readHistograms()`: one small dispatch more
   * per call, or per `batch` samples of one, and no read. The bins are those given, such as a reference of
   * `referenceOf`, or with `true` halve towards the sure end of what the criterion looks at.
   */
  readonly monitor?: ScoreBins | boolean | undefined;
  /** In milliseconds, for deadlines; `performance.now` where left out. */
  readonly now?: () => number;
}

/** What a classifier is compiled from. */
export interface Resolved {
  readonly criterion: Criterion;
  readonly plan: Choice;
  readonly staged: StagedOptions;
  readonly drift?: DriftWatch;
  /** Says why a plan is as it is. */
  readonly explain?: (plan: Plan) => string;
}

export const isPlan = (plan: Choice): plan is Plan => 'costs' in plan;

/**
 * Checks and completes what `compile()` was asked for; for `auto` the device is measured.
 * @throws ArgumentError, GpuError
 */
export async function resolveOptions(model: Model, options: ClassifierOptions): Promise<Resolved> {
  const { network } = model;
  const { batch = 1, ensemble = false, count, policy = 'readback', store, signal } = options;
  if (!(Number.isInteger(batch) && batch >= 1)) {
    throw new ArgumentError(`compile: expected a batch of 1 or more, got ${batch}`);
  }
  if (ensemble && network.halting) {
    throw new ArgumentError(
      `compile: expected no ensemble of ${network.name}, whose heads end in a halting score: ` +
        'what each step says of halting is not to be averaged',
    );
  }
  const exits = exitsOf(model, options);
  const given = options.criterion ?? (await storedCriterion(model, exits));
  const kernels = options.exitKernel ?? (given?.kind === 'wgsl' ? given.kernels : undefined);
  const criterion = checkCriterion(given, model, kernels);
  const { monitor } = options;
  const counters = monitor ? (await import('./exit-counters.ts')).exitCounters(model, monitor, criterion) : undefined;
  const staged = { batch, ensemble, count, kernels, counters };
  if (policy === 'auto') {
    const shares = options.shares ?? knownShares(model, options);
    // What looks at other exits too, or is computed from them, would change its meaning without them.
    const keeps = ensemble || looksBack(criterion) || kernels !== undefined;
    const { DriftWatch, explainPlan: explain, measurePlan } = await import('./scheduling/auto.ts');
    const plan = await measurePlan(model, { batch, ensemble, shares, store, signal, exits: keeps ? exits : undefined });
    const drift = new DriftWatch(plan, { checkpoints: !keeps });
    return { criterion, plan, staged: { ...staged, exits: plan.exits, indirect: true }, drift, explain };
  }
  const plan: Choice =
    typeof policy === 'object' ? checkPlan(policy, network, batch) : { policy, exits, grids: exits.map(() => 'full') };
  return {
    criterion,
    plan,
    staged: { ...staged, exits: plan.exits, indirect: plan.grids.includes('indirect') },
    ...(isPlan(plan) && { explain: (await import('./scheduling/auto.ts')).explainPlan }),
  };
}

/** @throws ArgumentError */
function exitsOf({ network }: Model, { policy, exits }: ClassifierOptions): readonly number[] {
  const stages = network.stages.length;
  if (typeof policy !== 'object' || policy === null) {
    if (policy !== undefined && policy !== 'auto' && !POLICIES.includes(policy)) {
      throw new ArgumentError(
        `compile: expected a policy among ${POLICIES.join(', ')}, auto or a plan, got '${String(policy)}'`,
      );
    }
    if (policy === 'auto' && exits) {
      throw new ArgumentError("compile: expected no exits with policy 'auto', which picks them; give one or the other");
    }
  } else if (exits) {
    throw new ArgumentError('compile: expected no exits beside a plan, which names them; give one or the other');
  }
  const all = exits ?? network.stages.map((_, index) => index + 1);
  checkBuilt('compile', all, stages);
  return all;
}

/** Resolved, small enough for the kernels, and of the kind that they decide by. @throws ArgumentError */
export function checkCriterion(criterion: Criterion, { network }: Model, kernels: ExitKernels | undefined): Criterion {
  const { stages, classes } = network;
  const resolved = resolveCriterion(criterion, stages.length, classes, network.halting);
  if (resolved.kind === 'wgsl' ? resolved.kernels !== kernels : kernels?.builtIn === false) {
    const [wanted, got] =
      kernels?.builtIn === false
        ? ['the criterion in WGSL that is linked into the kernels, or its with()', 'another']
        : ['a built-in criterion', 'one in WGSL'];
    throw new ArgumentError(`criterion: expected ${wanted}, got ${got}; compile a classifier with it`);
  }
  exitSettings(resolved, { exit: 1, classes, first: true });
  return resolved;
}

/** @throws ArgumentError for a plan of another network or batch */
function checkPlan(plan: Plan, network: Network, batch: number): Plan {
  const { costs } = plan;
  const wanted = networkIdentity(network);
  if (costs?.network !== wanted || costs.stages.length !== network.stages.length || costs.batch !== batch) {
    const got = costs ? `one for ${costs.network} and batch ${costs.batch}` : 'something else';
    throw new ArgumentError(`compile: expected a plan for ${wanted} and batch ${batch}, got ${got}`);
  }
  checkChoice('compile', costs, plan);
  return plan;
}

/** @throws ArgumentError if the model has neither thresholds nor gates and there is something to decide */
async function storedCriterion(model: Model, exits: readonly number[]): Promise<Criterion> {
  if (model.thresholds) return criterionOf(model.thresholds);
  if (exits.length === 1) return entropy(0);
  if (learnsToLeave(model.network)) return learnedCriterion(model);
  throw new ArgumentError(
    `compile: ${model.network.name} has no stored thresholds; give a criterion such as entropy(0.05), ` +
      'or choose thresholds on validation data first',
  );
}

/**
 * Those of the stored thresholds, if it is these that decide.
 * @throws ArgumentError if nobody knows where samples leave
 */
function knownShares({ network, thresholds }: Model, { criterion, ensemble }: ClassifierOptions): readonly number[] {
  if (network.stages.length === 1) return [1];
  if (thresholds && !criterion && !ensemble) return thresholds.achieved.shares;
  throw new ArgumentError(
    "compile: policy 'auto' needs the share of samples that leave at each exit; " +
      'give shares, such as exitShares(scores, criterion) of validation data',
  );
}
