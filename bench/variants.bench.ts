import { Random } from '../src/random.ts';
import { compile } from '../src/graph/program.ts';
import { choosing } from '../src/graph/variants.ts';
import { conv2d } from '../src/kernels/conv2d.ts';
import type { Operand, Value } from '../src/kernels/define.ts';
import { linear } from '../src/kernels/linear.ts';
import { matmul } from '../src/kernels/matmul.ts';
import { sizeOf } from '../src/tensor/spec.ts';
import { Tensor } from '../src/tensor/tensor.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

type Shape = readonly number[];
type Given = Readonly<Record<string, Operand>>;

const product = (m: number, k: number, n: number) =>
  [`matmul ${m}x${k}x${n}`, { a: [m, k], b: [k, n] }, (given: Given) => matmul(given as never)] as const;

/** The last layer of a single sample, whose sums are long and few. */
const head = (features: number, classes: number) =>
  [`head ${features}->${classes}`, { x: [1, features], weight: [classes, features] }, (given: Given) => linear(given as never)] as const;

function convolution(name: string, x: Shape, weight: Shape, groups = 1) {
  const what = `${name} ${weight.slice(2).join('x')} ${x.slice(2).join('x')} ${x[1]}->${weight[0]}, ${x[0]}`;
  const padding = weight[3]! >> 1;
  return [what, { x, weight }, (given: Given) => conv2d(given as never, { padding, groups })] as const;
}

const asked: readonly (readonly [name: string, shapes: Readonly<Record<string, Shape>>, op: (given: Given) => Value])[] = [
  product(512, 512, 512),
  product(1, 1024, 1024),
  product(32, 784, 256),
  head(4096, 10),
  head(16_384, 10),
  convolution('conv', [32, 16, 32, 32], [32, 16, 3, 3]),
  convolution('conv', [8, 64, 16, 16], [64, 64, 3, 3]),
  convolution('conv', [8, 128, 16, 16], [128, 128, 1, 1]),
  convolution('conv of one channel', [64, 1, 28, 28], [6, 1, 5, 5]),
  convolution('depthwise conv', [8, 64, 32, 32], [64, 1, 3, 3], 64),
];

await bench(
  'variants',
  'How fast is each way to compute the same, at shapes that differ?',
  async function* (device) {
    for (const [name, shapes, op] of asked) {
      const random = new Random(1);
      const given = Object.fromEntries(
        Object.entries(shapes).map(([input, shape]) => {
          const data = Float32Array.from({ length: sizeOf(shape) }, () => random.between(-1, 1));
          return [input, Tensor.from(device, data, shape, input)];
        }),
      );
      const body = (): Record<string, Value> => ({ y: op(given) });
      const variants: string[] = [];
      const usual = choosing(device.features, new Map());
      using first = await compile(device, {}, body, {
        choose(key, ways) {
          variants.push(...Object.keys(ways));
          return usual(key, ways);
        },
      });
      const { y } = await first.call({});
      const cases: Case[] = [];
      const programs = [];
      for (const variant of variants) {
        const only = (key: string, ways: Parameters<typeof usual>[1]) =>
          choosing(device.features, new Map([[key, variant]]))(key, ways);
        const program = await compile(device, {}, body, { choose: only });
        programs.push(program);
        const results = await program.call({});
        if (String(results['y']) !== String(y)) throw new Error(`${name}: ${variant} gives other bits than ${variants[0]}`);
        const { kernel } = program.launches[0]!.dispatch;
        const gigaflop = (2 * first.launches.reduce((sum, { macs }) => sum + macs, 0)) / 1e9;
        cases.push({
          name: `${name}: ${variant}`,
          facts: (ms) => ({ kernel: kernel.name, 'GFLOP/s': Number((gigaflop / (ms / 1000)).toPrecision(3)) }),
          run: () => device.read({ ...program.run({}).y!.range, size: 4 }),
        });
      }
      yield cases;
      for (const program of programs) program.dispose();
      for (const tensor of Object.values(given)) tensor.dispose();
    }
  },
);
