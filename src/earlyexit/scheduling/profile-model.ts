import { adam } from '../../autograd/optimizer.ts';
import { profile } from '../../graph/profile.ts';
import type { Profile, ProfileMethod } from '../../graph/profile.ts';
import { Random } from '../../random.ts';
import type { Model } from '../model.ts';
import { nobodyLeaves, StagedProgram } from '../staged-program.ts';
import { compileStep } from '../training/step.ts';

export interface ProfileModelOptions {
  /** Samples that go through together; 1 where left out. */
  readonly batch?: number;
  /** A training step, all exits, Adam, in place of a classification. */
  readonly training?: boolean;
  /** Time stamps where the device has them, if left out. */
  readonly method?: ProfileMethod | undefined;
}

/** Runs go on for so long. */
const MEASURED_MS = 1000;

/**
 * Where the time of a network goes: the median of each launch over runs on noise. Of a classification all stages and
 * exits, as if no sample left before the last; nothing waits for the host in between. A training step is one: the
 * weights of the model change.
 * @throws ArgumentError, GpuError, DeviceLostError
 */
export async function profileModel(
  model: Model,
  { batch = 1, training = false, method }: ProfileModelOptions = {},
): Promise<Profile> {
  const random = new Random(1);
  const x = Float32Array.from({ length: batch * model.sampleSize }, () => random.normal());
  if (training) return profileStep(model, x, method);
  const exits = model.network.stages.map((_, index) => index + 1);
  const staged = await StagedProgram.build(model, { batch, exits, ensemble: false, indirect: false });
  try {
    staged.apply(nobodyLeaves(exits.length));
    return await medians(() => profile(staged.program, { x }, { method }));
  } finally {
    staged.dispose();
  }
}

async function profileStep(model: Model, x: Float32Array, method: ProfileMethod | undefined): Promise<Profile> {
  const { network, sampleSize } = model;
  const random = new Random(2);
  const batch = x.length / sampleSize;
  const y = Uint32Array.from({ length: batch }, () => random.below(network.classes));
  const optimizer = adam();
  using step = await compileStep(model, { batch, weights: network.stages.map(() => 1), optimizer });
  let number = 0;
  return await medians(() => {
    const inputs = { x, y, hyper: optimizer.hyper(++number), seed: Uint32Array.of(number) };
    return profile(step.program, inputs, { method });
  });
}

/** The first run is not counted: it also pays what drivers put off until then. */
async function medians(run: () => Promise<Profile>): Promise<Profile> {
  await run();
  const runs: Profile[] = [];
  const began = performance.now();
  do runs.push(await run());
  while (performance.now() - began < MEASURED_MS);
  const median = (of: (run: Profile) => number): number => runs.map(of).sort((a, b) => a - b)[runs.length >> 1]!;
  const { launches, method } = runs[0]!;
  return {
    launches: launches.map((launch, index) => ({ ...launch, ms: median((each) => each.launches[index]!.ms) })),
    ms: median(({ ms }) => ms),
    method,
  };
}
