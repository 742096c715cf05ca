import { compile, ops, Tensor } from '../node.ts';
import type { Device, Percentiles } from '../node.ts';
import { percentiles } from '../earlyexit/judgement/percentiles.ts';

/** What the two things cost that early exits weigh against each other. */
export interface DeviceCosts {
  /** From the call to the bytes on the host, for 4 bytes that lie ready. */
  readonly readMs: Percentiles;
  /** One more tiny dispatch in the same submit, host and GPU together, in microseconds. */
  readonly dispatchUs: number;
}

const READS = 300;
const WARM_UP = 20;
const DISPATCHES = 512;
const RUNS = 15;

/** @throws DeviceLostError, GpuError */
export async function measureDevice(device: Device): Promise<DeviceCosts> {
  return { readMs: percentiles(await timeReads(device)), dispatchUs: await timeDispatch(device) };
}

async function timeReads(device: Device): Promise<number[]> {
  using tensor = Tensor.zeros(device, { dtype: 'f32', shape: [1] });
  const range = { buffer: tensor.buffer, offset: 0, size: 4 };
  const times: number[] = [];
  for (let call = -WARM_UP; call < READS; call++) {
    const began = performance.now();
    await device.read(range);
    if (call >= 0) times.push(performance.now() - began);
  }
  return times;
}

/** A long chain of tiny operations against one: the difference is dispatches and nothing else. */
async function timeDispatch(device: Device): Promise<number> {
  const chain = (length: number) =>
    compile(device, { x: { dtype: 'f32', shape: [1] } }, ({ x }) => {
      let y = x;
      for (let step = 0; step < length; step++) y = ops.relu({ x: y });
      return { y };
    });
  using long = await chain(DISPATCHES);
  using short = await chain(1);
  const times = { long: [] as number[], short: [] as number[] };
  for (let run = -2; run < RUNS; run++) {
    for (const [name, program] of [['long', long], ['short', short]] as const) {
      const began = performance.now();
      await program.call({ x: Float32Array.of(1) });
      if (run >= 0) times[name].push(performance.now() - began);
    }
  }
  const extra = percentiles(times.long).p50 - percentiles(times.short).p50;
  return (extra / (long.dispatches - short.dispatches)) * 1000;
}
