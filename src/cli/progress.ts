import cliProgress from 'cli-progress';
import type { EpochProgress, StepProgress, TrainOptions } from '../node.ts';

export type Progress = Required<Pick<TrainOptions, 'onStep' | 'onEpoch'>> & Disposable;

/** A bar per epoch on a terminal, one line of JSON per epoch elsewhere. */
export const showProgress = (epochs: number, stream: NodeJS.WriteStream = process.stdout): Progress =>
  stream.isTTY ? bars(epochs, stream) : lines(stream);

function bars(epochs: number, stream: NodeJS.WriteStream): Progress {
  let epoch = 0;
  let bar: cliProgress.SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const start = (steps: number): cliProgress.SingleBar => {
    const format = `epoch ${++epoch}/${epochs} [{bar}] {value}/{total}  loss {loss}  {eta_formatted} left`;
    const made = new cliProgress.SingleBar({ format, stream, barsize: 24 });
    made.start(steps, 0, { loss: '-' });
    return made;
  };
  return {
    onStep({ step, steps, loss }: StepProgress) {
      const perEpoch = steps / epochs;
      bar ??= start(perEpoch);
      bar.update(((step - 1) % perEpoch) + 1, { loss: loss.toFixed(4) });
    },
    onEpoch({ loss }: EpochProgress) {
      // What stays on the screen is the mean of the epoch, not the loss of its last step.
      bar?.update({ loss: loss.toFixed(4) });
      stop();
    },
    [Symbol.dispose]: stop,
  };
}

const lines = (stream: NodeJS.WriteStream): Progress => ({
  onStep() {},
  onEpoch(progress) {
    stream.write(`${JSON.stringify(progress)}\n`);
  },
  [Symbol.dispose]() {},
});
