import { compile } from '../src/graph/program.ts';
import type { Program } from '../src/graph/program.ts';
import { mul } from '../src/kernels/binary.ts';
import { constant } from '../src/kernels/define.ts';
import { exitCheck } from '../src/kernels/exit-check.ts';
import { max, sum } from '../src/kernels/reduce.ts';
import { softmax } from '../src/kernels/softmax.ts';
import { log, negate } from '../src/kernels/unary.ts';
import { exitSettings } from '../src/earlyexit/criterion-steps.ts';
import { readScores, RECORD_BYTES } from '../src/earlyexit/records.ts';
import { Random } from '../src/random.ts';
import { Rows } from '../src/tensor/spec.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { bench } from './harness.ts';

/** Reads entropy and confidence off the logits on the host. */
function onHost(logits: Float32Array): { entropy: number; confidence: number } {
  let greatest = -Infinity;
  for (const value of logits) greatest = Math.max(greatest, value);
  let total = 0;
  let weighted = 0;
  for (const value of logits) {
    const weight = Math.exp(value - greatest);
    total += weight;
    weighted += (value - greatest) * weight;
  }
  return { entropy: Math.log(total) - weighted / total, confidence: 1 / total };
}

await bench(
  'exit-check',
  'One row: the fused exit check, the same scores composed from single operations, or the logits read back and judged on the host?',
  async function* (device) {
    for (const classes of [10, 1000, 32_000]) {
      const random = new Random(classes);
      const logits = Tensor.from(device, Float32Array.from({ length: classes }, () => 3 * random.normal()), [1, classes]);
      const rows = new Rows(1);
      const batched = { dtype: 'f32', shape: [1, classes], rows } as const;
      const records = Tensor.zeros(device, { dtype: 'u32', shape: [RECORD_BYTES / 4] });
      const settings = Tensor.from(device, exitSettings(undefined, { exit: 1, classes, first: true, always: true }).settings);
      const fused = await compile(device, { logits: batched }, (inputs) => {
        const origin = constant({ dtype: 'u32', shape: [1], rows }, Uint32Array.of(0));
        const classThresholds = constant({ dtype: 'f32', shape: [1] }, Float32Array.of(0));
        exitCheck({ logits: inputs.logits, settings, classThresholds, origin, records });
        return {};
      });
      // Without label and margin, which no single operation gives yet: the comparison flatters it.
      const composed = await compile(device, { logits: batched }, (inputs) => {
        const p = softmax({ x: inputs.logits });
        return {
          entropy: negate({ x: sum({ x: mul({ a: p, b: log({ x: p }) }) }, { axes: [1] }) }),
          confidence: max({ x: p }, { axes: [1] }),
        };
      });
      const plain = await compile(device, { logits: batched }, ({ logits: x }) => ({ x }));
      const word = { buffer: records.buffer, offset: records.offset, size: 16 };
      const runFused = async () => {
        const recording = fused.start({ logits });
        fused.encode(recording, 0);
        const pending = recording.read(word);
        recording.submit();
        return readScores(await pending());
      };
      const runComposed = async () => {
        const { entropy: e, confidence: c } = await composed.call({ logits });
        return { entropy: e[0]!, confidence: c[0]! };
      };
      const runHost = async () => onHost((await plain.call({ logits })).x as Float32Array);
      const [a, b, c] = [await runFused(), await runComposed(), await runHost()];
      for (const other of [b, c]) {
        const apart = Math.max(Math.abs(a.entropy - other.entropy), Math.abs(a.confidence - other.confidence));
        if (!(apart < 1e-3)) throw new Error(`${classes} classes: ${JSON.stringify(a)} and ${JSON.stringify(other)} disagree`);
      }
      const dispatches = (program: { dispatches: number }): { dispatches: number } => ({ dispatches: program.dispatches });
      yield [
        { name: `${classes} classes, fused`, run: runFused, facts: dispatches(fused) },
        { name: `${classes} classes, composed (no label, no margin)`, run: runComposed, facts: dispatches(composed) },
        { name: `${classes} classes, logits read back, host decides`, run: runHost, facts: dispatches(plain) },
      ];
      for (const each of [fused as Program, composed as Program, plain as Program, logits, records, settings]) each.dispose();
    }
  },
);
