import { array, boolean, number, object, oneOf, optional, string } from '../json.ts';
import type { Check } from '../json.ts';
import type { SamePadding } from '../kernels/window2d.ts';
import { ModelFileError } from '../errors.ts';
import { HALTING, haltingHead, haltingStep } from './halting.ts';
import { averagePool2d, conv2d, dropout, flatten, globalAveragePool, linear, maxPool2d, relu } from './layers.ts';
import type { Layer } from './layer.ts';
import { mixedPool2d } from './mixed-pool.ts';
import { batchNorm2d, groupNorm, instanceNorm, layerNorm, localResponseNorm, rmsNorm } from './normalization.ts';
import { gru } from './recurrent.ts';
import { padChannels, residual } from './residual.ts';

// Far beyond any real layer, and small enough that shapes computed from it stay exact.
const count = number({ min: 1, max: 2 ** 24, integer: true });
const small = number({ min: 0, max: 1024, integer: true });
const window = number({ min: 1, max: 1024, integer: true });
const activation = optional(oneOf(['none', 'relu', 'sigmoid', 'tanh']));
const share = number({ min: 0, max: 1 });
const positive = number({ min: 1e-30, max: 1e30 });
const notNegative = number({ min: 0, max: 1e30 });
const channels = number({ min: -(2 ** 24), max: 2 ** 24, integer: true });

const same = oneOf(['same', 'same-lower']);
const padding = optional<number | SamePadding>((value, path) =>
  typeof value === 'string' ? same(value, path) : small(value, path),
);

const pool = object({
  kernel: window,
  stride: optional(window),
  padding,
  dilation: optional(window),
  ceil: optional(boolean),
  activation,
});

const loopColumns = { width: count, input: count, halting: oneOf(HALTING) };

/** For each type of layer: checks its options and makes it. */
const makers: Readonly<Record<string, Check<Layer>>> = {
  conv(value, path) {
    const check = object({
      input: count,
      output: count,
      kernel: window,
      stride: optional(window),
      padding,
      dilation: optional(window),
      groups: optional(count),
      bias: optional(boolean),
      activation,
    });
    const { input, output, ...options } = defined(check(value, path));
    const { groups = 1 } = options;
    if (input % groups !== 0 || output % groups !== 0) {
      throw new ModelFileError(`${path}.groups: expected a divisor of ${input} and ${output}, got ${groups}`);
    }
    return conv2d(input, output, options);
  },
  linear(value, path) {
    const check = object({ input: count, output: count, bias: optional(boolean), activation });
    const { input, output, ...options } = defined(check(value, path));
    return linear(input, output, options);
  },
  maxPool: (value, path) => maxPool2d(defined(pool(value, path))),
  averagePool: (value, path) => averagePool2d(defined(pool(value, path))),
  mixedPool: (value, path) => mixedPool2d(object({ kernel: window })(value, path)),
  globalAveragePool: () => globalAveragePool(),
  norm(value, path) {
    const check = object({ channels: count, epsilon: optional(positive), momentum: optional(share), activation });
    const { channels, ...options } = defined(check(value, path));
    return batchNorm2d(channels, options);
  },
  localResponseNorm(value, path) {
    const [alpha, beta, k] = [optional(notNegative), optional(notNegative), optional(positive)];
    return localResponseNorm(defined(object({ size: window, alpha, beta, k })(value, path)));
  },
  layerNorm(value, path) {
    const { features, ...options } = defined(object({ features: count, epsilon: optional(positive) })(value, path));
    return layerNorm(features, options);
  },
  rmsNorm(value, path) {
    const { features, ...options } = defined(object({ features: count, epsilon: optional(positive) })(value, path));
    return rmsNorm(features, options);
  },
  groupNorm(value, path) {
    const check = object({ channels: count, groups: count, epsilon: optional(positive) });
    const { channels, ...options } = defined(check(value, path));
    return groupNorm(channels, options);
  },
  instanceNorm(value, path) {
    const { channels, ...options } = defined(object({ channels: count, epsilon: optional(positive) })(value, path));
    return instanceNorm(channels, options);
  },
  padChannels(value, path) {
    const check = object({ before: optional(channels), after: optional(channels) });
    return padChannels(defined(check(value, path)));
  },
  residual(value, path) {
    const check = object({ body: array(layer), shortcut: optional(array(layer)), activation });
    const { body, ...options } = defined(check(value, path));
    return residual(body, options);
  },
  gru(value, path) {
    const { input, output } = object({ input: count, output: count })(value, path);
    return gru(input, output);
  },
  haltingStep(value, path) {
    const { body, ...options } = object({ body: array(layer), ...loopColumns })(value, path);
    return haltingStep(body, options);
  },
  haltingHead(value, path) {
    const { classes, ...options } = object({ classes: count, ...loopColumns })(value, path);
    return haltingHead(classes, options);
  },
  relu: () => relu(),
  flatten: () => flatten(),
  dropout(value, path) {
    const { rate } = object({ rate: share })(value, path);
    if (rate === 1) throw new ModelFileError(`${path}.rate: expected a number >= 0 and < 1, got 1`);
    return dropout({ rate });
  },
};

/** What `JSON.stringify` leaves of a layer's options, so that a layer read back equals the one written. */
const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

/** A layer from its type and options. @throws ModelFileError naming the field */
export const layer: Check<Layer> = (value, path) => {
  const { type } = object({ type: string })(value, path);
  if (!Object.hasOwn(makers, type)) {
    throw new ModelFileError(`${path}.type: expected one of ${Object.keys(makers).join(', ')}, got "${type}"`);
  }
  return makers[type]!(value, path);
};

/** The JSON that `layer` reads. */
export const layerToJson = ({ type, options }: Layer): Record<string, unknown> => ({ type, ...options });
