/**
 * `npm run conformance -- FOLDER [FILTER...]`: each case is mapped and run on the GPU, nothing on the CPU. Inputs that an
 * operator needs to know as it is compiled (shapes, axes) are given as initializers. All that pass, are wrong, or are
 * not supported, by operator; writes `bench/results/conformance.json` if all were asked. Exit code 1 if one is wrong.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open, UnsupportedError } from '#exitgpu';
import { compile } from '../../src/graph/program.ts';
import type { Value } from '../../src/kernels/define.ts';
import { deviceDtype } from '../../src/onnx/node.ts';
import { known, mapNode } from '../../src/onnx/index.ts';
import type { OnnxValue } from '../../src/onnx/index.ts';
import { typedArray } from '../../src/tensor/spec.ts';
import { table } from '../../src/report/table.ts';
import { attributesOf, openCases, tensorOf } from './cases.ts';
import type { LoadedCase, Loader } from './cases.ts';

type Outcome = { readonly passed: true } | { readonly wrong: string } | { readonly unsupported: string };

interface Judged {
  readonly name: string;
  readonly op: string;
  readonly core: boolean;
  readonly outcome: Outcome;
}

const [folder, ...filters] = process.argv.slice(2);
const loader = await openCases(folder).catch((error: Error) => {
  console.error(error.message);
  process.exit(2);
});
const listed = loader
  .listCases({ single: true })
  .filter(({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
if (listed.length === 0) {
  console.error(`conformance: no case is named like '${filters.join("', '")}'`);
  process.exit(2);
}

const device = await open();
const judged: Judged[] = [];
for (const { name, core = false } of listed) {
  const loaded = loader.loadCase(name);
  judged.push({ name, op: loaded.nodes[0]!.op, core, outcome: await judge(loaded, loader) });
}
report();

async function judge(loaded: LoadedCase, { compare }: Loader): Promise<Outcome> {
  const before = device.uncapturedErrors;
  try {
    const got = await run(loaded);
    for (const [index, want] of loaded.outputs.entries()) {
      const { ok, why, worst } = compare(got[index]!, want);
      if (!ok) return { wrong: `output ${index}: ${why ?? `off by ${worst}`}` };
      if (got[index]!.dtype !== want.dtype) return { wrong: `output ${index}: ${got[index]!.dtype}, not ${want.dtype}` };
    }
    await device.gpu.queue.onSubmittedWorkDone();
    return device.uncapturedErrors > before ? { wrong: 'WebGPU reported an error' } : { passed: true };
  } catch (error) {
    if (error instanceof UnsupportedError) return { unsupported: error.message };
    return { wrong: (error as Error).message.split('\n')[0]! };
  }
}

async function run({ nodes, inputs, initializers, outputs, opset }: LoadedCase) {
  const [node] = nodes;
  const specs = Object.fromEntries(
    inputs.map(({ name, dtype, dims }) => [name, { dtype: deviceDtype(dtype), shape: dims }]),
  );
  let mapped: readonly OnnxValue[] = [];
  using program = await compile(device, specs, (values) => {
    const valueOf = (name: string): OnnxValue | undefined => {
      if (name === '') return undefined;
      if (initializers[name]) return known(tensorOf(initializers[name]));
      const { dtype, data } = tensorOf(inputs.find((input) => input.name === name)!);
      // Integers too are read on the GPU where an operator reads them there.
      return { dtype, value: values[name]!, known: data };
    };
    const all = mapNode({
      op: node!.op,
      attributes: attributesOf(node!.attrs),
      inputs: node!.inputs.map(valueOf),
      outputs: node!.outputs.length,
      opset: opset['ai.onnx']!,
    });
    // One without a name is not wanted.
    mapped = all.filter((_, index) => node!.outputs[index] !== '');
    return Object.fromEntries(mapped.map(({ value }, index) => [`y${index}`, value as Value]));
  });
  const given = inputs.map(({ name, dtype, data }) => [name, typedArray(deviceDtype(dtype), Array.from(data, Number))]);
  const results = await program.call(Object.fromEntries(given));
  return outputs.map((_, index) => {
    const { dtype, value } = mapped[index]!;
    return { dtype, dims: value.shape, data: results[`y${index}`]! };
  });
}

function report(): void {
  const count = (list: readonly Judged[], key: 'passed' | 'wrong' | 'unsupported'): number =>
    list.filter(({ outcome }) => key in outcome).length;
  const rows = [...new Set(judged.map(({ op }) => op))].map((op) => {
    const list = judged.filter((one) => one.op === op);
    return [op, ...(['passed', 'wrong', 'unsupported'] as const).map((key) => String(count(list, key) || ''))];
  });
  console.log(table([['operator', 'passed', 'wrong', 'unsupported'], ...rows]));
  for (const { name, outcome } of judged) {
    if ('wrong' in outcome) console.log(`wrong: ${name}: ${outcome.wrong}`);
  }
  for (const { name, outcome } of judged) {
    if ('unsupported' in outcome) console.log(`unsupported: ${name}: ${outcome.unsupported}`);
  }
  const totals = { core: judged.filter(({ core }) => core), all: judged };
  for (const [name, list] of Object.entries(totals)) {
    const share = ((100 * count(list, 'passed')) / Math.max(1, list.length)).toFixed(1);
    console.log(
      `${name}: ${count(list, 'passed')} of ${list.length} passed (${share} %), ${count(list, 'wrong')} wrong, ` +
        `${count(list, 'unsupported')} unsupported`,
    );
  }
  if (filters.length === 0) {
    const file = fileURLToPath(new URL('../../bench/results/conformance.json', import.meta.url));
    const cases = judged.map(({ name, op, core, outcome }) => ({ name, op, core, ...outcome }));
    writeFileSync(file, `${JSON.stringify({ adapter: device.name, cases }, null, 2)}\n`);
  }
  process.exit(count(judged, 'wrong') > 0 ? 1 : 0);
}
