import { ShapeError } from '../errors.ts';
import type { Activation } from '../kernels/activation.ts';
import { add } from '../kernels/binary.ts';
import { pad } from '../kernels/pad.ts';
import type { PadAttributes } from '../kernels/pad.ts';
import { relu, sigmoid, tanh } from '../kernels/unary.ts';
import { describe } from '../tensor/spec.ts';
import { sequential, within } from './layer.ts';
import type { Layer, ParameterSpec } from './layer.ts';

/**
 * Channels of zeros around those of `[rows, channels, ...]`, or, if negative, channels left out: in the shortcuts of
 * ResNet's option A (He et al. 2016, section 4.2).
 */
export const padChannels = (options: Omit<PadAttributes, 'axis'>): Layer => ({
  type: 'padChannels',
  options: { ...options },
  parameters: {},
  forward: (x) => pad({ x }, { ...options, axis: 1 }),
});

export interface ResidualOptions {
  /**
   * What the input passes on its way around the body; none where left out. Where the body shrinks planes and adds
   * channels: `[averagePool2d({ kernel: 1, stride: 2 }), padChannels({ after: 16 })]` is option A of He et al. 2016, a
   * convolution with kernel 1 is option B.
   */
  readonly shortcut?: readonly Layer[];
  /** Of the sum. */
  readonly activation?: Activation;
}

const activations = { none: undefined, relu, sigmoid, tanh };

/**
 * A residual block (He et al. 2016): `activation(body(x) + shortcut(x))`. Its parameters are named `body.conv1.weight`,
 * `shortcut.conv1.weight`. While tracing, throws `ShapeError` unless body and shortcut give the same shape.
 */
export function residual(body: readonly Layer[], options: ResidualOptions = {}): Layer {
  const { shortcut = [], activation = 'none' } = options;
  const ways = { body: sequential(body), shortcut: sequential(shortcut) };
  const parameters: Record<string, ParameterSpec> = {};
  for (const [way, layer] of Object.entries(ways)) {
    for (const [local, spec] of Object.entries(layer.parameters)) parameters[`${way}.${local}`] = spec;
  }
  return {
    type: 'residual',
    options: {
      body: ways.body.options['layers'],
      ...(shortcut.length > 0 && { shortcut: ways.shortcut.options['layers'] }),
      ...(options.activation && { activation }),
    },
    parameters,
    forward(x, context) {
      const a = ways.body.forward(x, within(context, 'body'));
      const b = ways.shortcut.forward(x, within(context, 'shortcut'));
      // The sum would repeat the smaller one.
      if (a.shape.join() !== b.shape.join()) {
        const got = `${describe(a)} and ${describe(b)}`;
        throw new ShapeError(
          `residual: expected body and shortcut of one shape, got ${got}; give a shortcut that fits`,
        );
      }
      const y = add({ a, b });
      return activations[activation]?.({ x: y }) ?? y;
    },
  };
}
