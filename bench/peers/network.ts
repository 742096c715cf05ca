import { Random } from '../../src/random.ts';

/** A layer with its weights, in the layout of PyTorch: convolutions `[out, in, kernel, kernel]`, linear `[out, in]`. */
export type Layer =
  | ({ readonly type: 'conv'; readonly kernel: number; readonly stride: number; readonly padding: number } & Weighted)
  | ({ readonly type: 'linear' } & Weighted)
  /** The greatest of each 2 x 2 pixels. */
  | { readonly type: 'maxPool' }
  /** The mean of each plane: `[rows, channels, height, width]` to `[rows, channels]`. */
  | { readonly type: 'planeMean' }
  | { readonly type: 'flatten' };

interface Weighted {
  readonly input: number;
  readonly output: number;
  readonly relu: boolean;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export type WeightedLayer = Extract<Layer, Weighted>;

/** Shape of one sample: `[channels, height, width]`, or `[features]`. */
export type Shape = readonly number[];

export interface Network {
  readonly name: string;
  readonly input: Shape;
  readonly stages: readonly { readonly body: readonly Layer[]; readonly exit: readonly Layer[] }[];
}

export const isWeighted = (layer: Layer): layer is WeightedLayer => layer.type === 'conv' || layer.type === 'linear';

export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1);

/** The shape of a sample behind a layer. */
export function shapeAfter(layer: Layer, shape: Shape): Shape {
  const [channels, height, width] = shape as [number, number, number];
  switch (layer.type) {
    case 'conv': {
      const out = (length: number): number =>
        Math.floor((length + 2 * layer.padding - layer.kernel) / layer.stride) + 1;
      return [layer.output, out(height), out(width)];
    }
    case 'maxPool':
      return [channels, height >> 1, width >> 1];
    case 'planeMean':
      return [channels];
    case 'flatten':
      return [sizeOf(shape)];
    case 'linear':
      return [layer.output];
  }
}

export const shapeBehind = (layers: readonly Layer[], input: Shape): Shape =>
  layers.reduce((shape, layer) => shapeAfter(layer, shape), input);

/** What is run one after the other: the stages or, without checks on the way, all of them as one with the last exit. */
export const stagesOf = ({ stages }: Network, checks: boolean): Network['stages'] =>
  checks ? stages : [{ body: stages.flatMap(({ body }) => body), exit: stages.at(-1)!.exit }];

/** All layers to the last answer, the exits on the way left out. */
export const trunkOf = (network: Network): readonly Layer[] =>
  stagesOf(network, false).flatMap(({ body, exit }) => [...body, ...exit]);

/** Of entropy, to be below it: for every answer before the last exit, or for none. */
export const thresholdFor = ({ stages }: Network, leavesAt: number): number =>
  leavesAt < stages.length ? Math.log(10) : 0;

/** Weights of He et al. 2015, section 2.2; biases that are not zero, so that one left out is seen. */
function weights(random: Random, length: number, fanIn: number, outputs: number) {
  const deviation = Math.sqrt(2 / fanIn);
  return {
    weight: Float32Array.from({ length }, () => deviation * random.normal()),
    bias: Float32Array.from({ length: outputs }, () => 0.1 * random.normal()),
  };
}

export function conv(
  random: Random,
  input: number,
  output: number,
  options: { kernel: number; stride?: number; padding?: number; relu?: boolean },
): Extract<Layer, { type: 'conv' }> {
  const fanIn = input * options.kernel ** 2;
  const defaults = { type: 'conv', input, output, stride: 1, padding: 0, relu: true } as const;
  return { ...defaults, ...options, ...weights(random, output * fanIn, fanIn, output) };
}

const linear = (random: Random, input: number, output: number, { relu = false } = {}): Layer => ({
  type: 'linear',
  input,
  output,
  relu,
  ...weights(random, input * output, input, output),
});

/** LeNet-5 (LeCun et al. 1998, section II) with ReLU and maxima, as it is built today. */
export function leNet(): Network {
  const random = new Random(5);
  return {
    name: 'lenet',
    input: [1, 28, 28],
    stages: [
      {
        body: [
          conv(random, 1, 6, { kernel: 5, padding: 2 }),
          { type: 'maxPool' },
          conv(random, 6, 16, { kernel: 5 }),
          { type: 'maxPool' },
          { type: 'flatten' },
          linear(random, 400, 120, { relu: true }),
          linear(random, 120, 84, { relu: true }),
        ],
        exit: [linear(random, 84, 10)],
      },
    ],
  };
}

/** Four stages of one convolution each, an exit of a mean and a linear layer after each. */
export function fourStages(): Network {
  const random = new Random(4);
  const stage = (input: number, output: number, stride: number) => ({
    body: [conv(random, input, output, { kernel: 3, stride, padding: 1 })],
    exit: [{ type: 'planeMean' } as const, linear(random, output, 10)],
  });
  return {
    name: 'four stages',
    input: [3, 32, 32],
    stages: [stage(3, 16, 1), stage(16, 32, 2), stage(32, 64, 2), stage(64, 64, 1)],
  };
}
