import type { ImageShape } from '../../data/dataset.ts';
import { ArgumentError } from '../../errors.ts';
import { columnsOf, haltingHead, haltingStep } from '../../nn/halting.ts';
import type { Halting } from '../../nn/halting.ts';
import type { Layer } from '../../nn/layer.ts';
import { flatten, linear } from '../../nn/layers.ts';
import { gru } from '../../nn/recurrent.ts';
import { padChannels } from '../../nn/residual.ts';
import { sizeOf } from '../../tensor/spec.ts';
import { multiExit } from '../network.ts';
import type { Network } from '../network.ts';

export interface LoopedOptions {
  /** 1 x 28 x 28 where left out. */
  readonly input?: ImageShape;
  readonly classes?: number;
  /** Of the state; 64 where left out. */
  readonly width?: number;
  /** What goes round: two layers, twice as wide between, or a gated recurrent unit; `mlp` where left out. */
  readonly cell?: keyof typeof CELLS;
  /** Most times round the loop; 6 where left out. */
  readonly steps?: number;
  /** See `haltingStep`, and the losses `ponder` and `act`; `ponder` where left out. */
  readonly halting?: Halting;
}

/** From state and input, `[rows, width + input]`, to the next state. */
const CELLS = {
  mlp: (input: number, width: number): Layer[] => [
    linear(width + input, 2 * width, { activation: 'relu' }),
    linear(2 * width, width, { activation: 'tanh' }),
  ],
  gru: (input: number, width: number): Layer[] => [gru(input, width)],
};

/**
 * A cell in a loop that learns when to stop: it sees the whole input in each step, and has an exit behind each. All
 * steps have the parameters of the first, all exits those of the first.
 * @throws ArgumentError unless width and steps are positive whole numbers, and halting and cell known ones
 */
export function looped(options: LoopedOptions = {}): Network {
  const { input: shape = [1, 28, 28], classes = 10, width = 64, steps = 6, halting = 'ponder' } = options;
  const { cell = 'mlp' } = options;
  for (const [name, value] of Object.entries({ width, steps })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new ArgumentError(`looped: expected a positive whole number of ${name}, got ${value}`);
  }
  if (!Object.hasOwn(CELLS, cell)) {
    throw new ArgumentError(`looped: expected a cell of ${Object.keys(CELLS).join(', ')}, got '${cell}'`);
  }
  const columns = { width, input: sizeOf(shape), halting };
  const step = haltingStep(CELLS[cell](columns.input, width), columns);
  const exit = [haltingHead(classes, columns)];
  // State and probability of having halted are 0 at first.
  const start = [flatten(), padChannels({ before: width, after: columnsOf(columns) - width - columns.input })];
  const stages = Array.from({ length: steps }, (_, index) =>
    index === 0 ? { body: [...start, step], exit } : { body: [step], exit, bodyOf: 1, exitOf: 1 });
  return multiExit({ name: 'looped', input: shape, classes, stages, halting: true });
}
