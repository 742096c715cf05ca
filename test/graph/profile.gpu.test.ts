import { expect, it } from 'vitest';
import { open } from '#exitgpu';
import { adam } from '../../src/autograd/optimizer.ts';
import { Model } from '../../src/earlyexit/model.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import { compileStep } from '../../src/earlyexit/training/step.ts';
import type { StepInputs, TrainingStep } from '../../src/earlyexit/training/step.ts';
import { GpuError } from '../../src/errors.ts';
import { byKernel, profile } from '../../src/graph/profile.ts';
import type { LaunchTime } from '../../src/graph/profile.ts';
import { compile } from '../../src/graph/program.ts';
import type { Program } from '../../src/graph/program.ts';
import { checkpoint } from '../../src/graph/trace.ts';
import { add, mul } from '../../src/kernels/binary.ts';
import type { Value } from '../../src/kernels/define.ts';
import { linear } from '../../src/kernels/linear.ts';
import { softmax } from '../../src/kernels/softmax.ts';
import { dropout, flatten, linear as linearLayer } from '../../src/nn/layers.ts';
import { Rows } from '../../src/tensor/spec.ts';
import { openTestDevice } from '../open-test-device.ts';

const device = await openTestDevice();
const timed = device.features.has('timestamp-query');

const MOST = 4;
async function classify(on = device): Promise<Program<'x' | 'weight', 'y'>> {
  const rows = new Rows(MOST);
  const specs = { x: { dtype: 'f32', shape: [MOST, 6], rows }, weight: { dtype: 'f32', shape: [6, 6] } } as const;
  return compile(on, specs, ({ x, weight }) => {
    const hidden = linear({ x, weight }, { activation: 'relu' });
    checkpoint();
    return { y: softmax({ x: mul({ a: hidden, b: linear({ x: hidden, weight }) }) }) };
  });
}
const inputs = (rows: number) => ({
  x: Float32Array.from({ length: rows * 6 }, (_, index) => Math.sin(index)),
  weight: Float32Array.from({ length: 36 }, (_, index) => Math.cos(index)),
});

it.runIf(timed)('times each dispatch of all segments, in order, and gives the bits of any other run', async () => {
  using program = await classify();
  const expected = await program.call(inputs(3));
  await program.call(inputs(MOST));
  const before = device.counters.dispatches;
  const { launches, ms } = await profile(program, inputs(3));
  expect(device.counters.dispatches - before).toBe(program.dispatches);
  expect(await program.outputs().y.read()).toEqual(expected.y);
  expect(launches.map(({ op }) => op)).toEqual(['linear', 'linear', 'mul', 'softmax']);
  for (const launch of launches) {
    expect(launch.kernel).toMatch(/^[a-z]/);
    expect(Number.isFinite(launch.ms) && launch.ms >= 0, `${launch.op} took ${launch.ms} ms`).toBe(true);
  }
  expect(Number.isFinite(ms) && ms >= 0).toBe(true);
});

it.runIf(timed)('lists what was launched: nothing for no rows', async () => {
  using program = await classify();
  expect(await profile(program, inputs(0))).toEqual({ launches: [], ms: 0, method: 'time stamps' });
});

it.runIf(timed)('times programs longer than a query set, and leaves no memory behind', async () => {
  const length = 2100;
  using program = await compile(device, { x: { dtype: 'f32', shape: [4] } }, ({ x }) => {
    let y: Value = x;
    for (let i = 0; i < length; i++) y = add({ a: y, b: x });
    return { y };
  });
  const x = Float32Array.of(0, 1, 2, 3);
  const held = (): number => device.memory().bytes - device.memory().stagingBytes;
  const before = held();
  const { launches, ms } = await profile(program, { x });
  expect(held()).toBe(before);
  expect(await program.outputs().y.read()).toEqual(x.map((value) => (length + 1) * value));
  expect(launches.length).toBe(length);
  // No set's stamps were missed: they stand for moments of one run, that of the second set no less than of the first.
  const sum = launches.reduce((total, launch) => total + launch.ms, 0);
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThanOrEqual(ms * 1.01 + 0.1);
});

it.runIf(timed)('a profiled training step is a step: the weights become those of any other, to the bit', async () => {
  const network = multiExit({
    name: 'small',
    input: [1, 4, 4],
    classes: 3,
    stages: [
      { body: [flatten(), linearLayer(16, 8, { activation: 'relu' })], exit: [linearLayer(8, 3)] },
      { body: [dropout({ rate: 0.5 })], exit: [linearLayer(8, 3)] },
    ],
  });
  const weightsAfter = async (run: (step: TrainingStep, inputs: StepInputs) => Promise<unknown>) => {
    using model = Model.initialize(device, network, { seed: 1 });
    const optimizer = adam();
    using step = await compileStep(model, { batch: 2, weights: [1, 0.5], optimizer });
    const x = Float32Array.from({ length: 32 }, (_, index) => Math.sin(index));
    for (const number of [1, 2]) {
      await run(step, { x, y: Uint32Array.of(1, 2), hyper: optimizer.hyper(number), seed: Uint32Array.of(number) });
    }
    return model.parameters.read();
  };
  const profiled = await weightsAfter(async ({ program }, { x, y, hyper, seed }) => {
    const { launches } = await profile(program, { x, y, hyper, seed });
    expect(launches.length).toBe(program.dispatches);
    expect(launches.at(-1)!.kernel).toBe('adam');
  });
  expect(profiled).toEqual(await weightsAfter((step, inputs) => step.run(inputs)()));
});

it('without time stamps repeats each launch, and leaves the results and the memory of a run', async () => {
  const network = multiExit({
    name: 'small',
    input: [1, 4, 4],
    classes: 3,
    stages: [{ body: [flatten()], exit: [linearLayer(16, 3)] }],
  });
  using model = Model.initialize(device, network, { seed: 1 });
  const optimizer = adam();
  using step = await compileStep(model, { batch: 2, weights: [1], optimizer });
  const x = Float32Array.from({ length: 32 }, (_, index) => Math.sin(index));
  const given = { x, y: Uint32Array.of(1, 2), hyper: optimizer.hyper(1), seed: Uint32Array.of(1) };
  const held = (): number => device.memory().bytes - device.memory().stagingBytes;
  const before = held();
  const { launches, ms, method } = await profile(step.program, given, { method: 'repetition' });
  expect(held()).toBe(before);
  expect(method).toBe('repetition');
  const kernels = step.program.launches.map(({ dispatch }) => dispatch.kernel.name);
  expect(launches.map(({ kernel }) => kernel)).toEqual(kernels);
  expect(launches.every((launch) => Number.isFinite(launch.ms) && launch.ms >= 0)).toBe(true);
  expect(ms).toBeCloseTo(launches.reduce((sum, launch) => sum + launch.ms, 0), 9);

  using twin = Model.initialize(device, network, { seed: 1 });
  using once = await compileStep(twin, { batch: 2, weights: [1], optimizer });
  await once.run(given)();
  expect(await model.parameters.read()).toEqual(await twin.parameters.read());
  expect(await step.state[0]!.read()).toEqual(await once.state[0]!.read());
});

it('says what each launch computes and moves, for the rows there are', async () => {
  using program = await classify();
  const { launches } = await profile(program, inputs(3));
  const [rows, weight] = [3 * 6 * 4, 36 * 4];
  const least = [rows + weight + rows, rows + weight + rows, 3 * rows, 2 * rows];
  // What a variant has no use for is bound to next to nothing.
  launches.forEach(({ op, bytes }, index) => {
    expect(bytes, op).toBeGreaterThanOrEqual(least[index]!);
    expect(bytes, op).toBeLessThanOrEqual(least[index]! + 16);
  });
  expect(launches.map(({ flops }) => flops)).toEqual([2 * 3 * 36, 2 * 3 * 36, 0, 0]);
});

it('repeats where the device has no time stamps, and says so where they are asked for', async ({ skip }) => {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter();
  if (!adapter) return skip('only a page gives devices without features');
  using plain = await open({ device: await adapter.requestDevice() });
  using program = await classify(plain);
  const before = plain.memory();
  const stamped = profile(program, inputs(1), { method: 'time stamps' });
  await expect(stamped).rejects.toThrow(GpuError);
  await expect(stamped).rejects.toThrow(
    'program/profile: needs the feature timestamp-query, which this device was not given',
  );
  expect(plain.memory()).toEqual(before);
  expect((await profile(program, inputs(1))).method).toBe('repetition');
});

it('adds up the launches of each kernel, the longest first', () => {
  const launch = (kernel: string, ms: number): LaunchTime => ({ op: 'any', kernel, ms, flops: 10 * ms, bytes: 1 });
  expect(byKernel([launch('a', 1), launch('b', 2), launch('a', 1), launch('c', 4)])).toEqual([
    { kernel: 'c', launches: 1, ms: 4, flops: 40, bytes: 1, share: 0.5 },
    { kernel: 'a', launches: 2, ms: 2, flops: 20, bytes: 2, share: 0.25 },
    { kernel: 'b', launches: 1, ms: 2, flops: 20, bytes: 1, share: 0.25 },
  ]);
  expect(byKernel([launch('a', 0)])).toEqual([{ kernel: 'a', launches: 1, ms: 0, flops: 0, bytes: 1, share: 0 }]);
  expect(byKernel([])).toEqual([]);
});
