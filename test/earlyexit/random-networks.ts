import {
  and, change, confidence, entropy, gate, margin, maxDepth, minDepth, normalizedEntropy, or, patience, perClass,
} from '../../src/earlyexit/criteria.ts';
import type { Criterion } from '../../src/earlyexit/criteria.ts';
import { multiExit } from '../../src/earlyexit/network.ts';
import type { Network, Stage } from '../../src/earlyexit/network.ts';
import type { Layer } from '../../src/nn/layer.ts';
import { averagePool2d, conv2d, flatten, linear, maxPool2d, relu } from '../../src/nn/layers.ts';
import type { Random } from '../../src/random.ts';

/** One sample on its way through the trunk: an image, or a vector of so many numbers. */
type Shape = readonly [channels: number, size: number] | number;

const choose = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;

/**
 * A multi-exit network of 2 to 6 tiny stages: convolutions, pools and linear layers in any order that fits. Layers take
 * their options from short lists, so that many networks share few pipelines.
 */
export function randomNetwork(random: Random, name: string): Network {
  const classes = choose(random, [2, 3, 5]);
  const size = choose(random, [5, 6, 8]);
  const channels = 1 + random.below(3);
  const stages: Stage[] = [];
  let shape: Shape = [channels, size];
  for (let left = 2 + random.below(5); left > 0; left--) {
    const body: Layer[] = [];
    for (let layers = 1 + random.below(2); layers > 0; layers--) {
      const [added, after]: readonly [Layer[], Shape] = randomLayer(random, shape);
      body.push(...added);
      shape = after;
    }
    stages.push({ body, exit: head(random, shape, classes) });
  }
  return multiExit({ name, input: [channels, size, size], classes, stages });
}

function randomLayer(random: Random, shape: Shape): readonly [Layer[], Shape] {
  if (typeof shape === 'number') {
    const output = choose(random, [4, 7, 12]);
    return [[linear(shape, output, { activation: 'relu' })], output];
  }
  const [channels, size] = shape;
  const output = 1 + random.below(4);
  const half = Math.floor(size / 2);
  switch (size < 3 ? 3 : random.below(5)) {
    case 0:
      return [[maxPool2d({ kernel: 2 })], [channels, half]];
    case 1:
      return [[averagePool2d({ kernel: 2 }), relu()], [channels, half]];
    case 2: {
      const strided = conv2d(channels, output, { kernel: 3, stride: 2, padding: 1, activation: 'relu' });
      return [[strided], [output, Math.ceil(size / 2)]];
    }
    case 3:
      return [[flatten(), linear(channels * size * size, 12, { activation: 'relu' })], 12];
    default:
      return [[conv2d(channels, output, { kernel: 3, padding: 1, activation: 'relu' })], [output, size]];
  }
}

function head(random: Random, shape: Shape, classes: number): Layer[] {
  if (typeof shape === 'number') return [linear(shape, classes)];
  const [channels, size] = shape;
  const pooled = size >= 4 && random.below(2) === 1;
  const width = pooled ? Math.floor(size / 2) : size;
  return [...(pooled ? [maxPool2d({ kernel: 2 })] : []), flatten(), linear(channels * width * width, classes)];
}

/** Linear layers alone: as many exits as wanted from few kernels. Takes images of `size` x `size`. */
export function linearNetwork(exits: number, { classes = 3, size = 2, width = 6 } = {}): Network {
  const stages = Array.from({ length: exits }, (_, index): Stage => {
    const [before, input] = index === 0 ? [[flatten()], size * size] : [[], width];
    return { body: [...before, linear(input, width, { activation: 'relu' })], exit: [linear(width, classes)] };
  });
  return multiExit({ name: `linear-${exits}`, input: [1, size, size], classes, stages });
}

/** Thresholds lie where scores of untrained networks do, so that rows part. */
export function randomCriterion(random: Random, { stages, classes }: Network): Criterion {
  const exits = stages.length - 1;
  const each = <T>(make: () => T): T[] => Array.from({ length: exits }, make);
  const part = (): Criterion => {
    switch (random.below(7)) {
      case 0:
        return entropy(...each(() => Math.log(classes) * random.between(0.3, 1)));
      case 1:
        return confidence(...each(() => random.between(1 / classes, 0.9)));
      case 2:
        return margin(random.between(0, 0.6));
      case 3:
        return normalizedEntropy(random.between(0.3, 1));
      case 4:
        return change(...each(() => random.between(0, 0.3)));
      case 5:
        return patience(1 + random.below(Math.min(3, stages.length)));
      default:
        return minDepth(1 + random.below(stages.length), margin(random.between(0, 0.6)));
    }
  };
  switch (random.below(6)) {
    case 0:
      return and(part(), part());
    case 1:
      return or(part(), and(part(), part()));
    case 2:
      return maxDepth(1 + random.below(stages.length), part());
    case 3: {
      const weight = (): number => random.between(-2, 2);
      const scored = () => ({ confidence: weight(), margin: weight(), entropy: weight() });
      return gate(each(() => ({ bias: weight(), ...scored(), exit: weight() / 4 })));
    }
    case 4: {
      const table = (): number[] => Array.from({ length: classes }, () => random.between(1 / classes, 0.9));
      return perClass('confidence', each(table));
    }
    default:
      return part();
  }
}

/** So many samples for the network, of the standard normal distribution. */
export function randomRows(random: Random, { input }: Network, count: number): Float32Array {
  return Float32Array.from({ length: count * input[0] * input[1] * input[2] }, () => random.normal());
}
