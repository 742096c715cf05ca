import type { BufferRange } from '../device/recording.ts';
import { compile } from '../graph/program.ts';
import type { Program } from '../graph/program.ts';
import { checkpoint } from '../graph/trace.ts';
import { compact } from '../kernels/compact.ts';
import { constant } from '../kernels/define.ts';
import type { Value } from '../kernels/define.ts';
import { ExitSettings, exitCheck } from '../kernels/exit-check.ts';
import { gatherRows } from '../kernels/gather-rows.ts';
import { Rows } from '../tensor/spec.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Model } from './model.ts';
import { RECORD_BYTES } from './records.ts';

/** A network compiled with an exit check and a checkpoint after each exit. */
export interface StagedProgram {
  /** Segment i runs from the exit before to exit i. */
  readonly program: Program<'x'>;
  /** The samples that reach exit i; for a batch of one always the same. */
  readonly rows: readonly Rows[];
  /** An `ExitSettings` per exit, live. */
  readonly settings: readonly Tensor[];
  /** Where the records are, one per sample of the batch, in the order of the input. */
  readonly records: BufferRange;
  dispose(): void;
}

/**
 * Traces stages, heads and exit checks over the model's own weights. In a batch the samples that stay are regrouped after
 * each check, and everything that crosses to the next stage with them.
 */
export async function buildStaged(model: Model, batch: number, exits: readonly number[]): Promise<StagedProgram> {
  const { network, device, context } = model;
  const words = (bytes: number, count: number, label: string): Tensor =>
    Tensor.zeros(device, { dtype: 'u32', shape: [(bytes / 4) * count] }, label);
  const records = words(RECORD_BYTES, batch, 'exit records');
  const settings = exits.map((exit) => words(ExitSettings.size, 1, `exit ${exit} settings`));
  const rows = [new Rows(batch, 'samples')];

  const body = ({ x }: { x: Value }): Record<string, never> => {
    let value = x;
    let origin: Value = constant({ dtype: 'u32', shape: [batch], rows: rows[0]! }, Uint32Array.from({ length: batch }, (_, row) => row));
    for (let stage = 1; stage <= exits.at(-1)!; stage++) {
      value = network.body(stage, value, context);
      const index = exits.indexOf(stage);
      if (index < 0) continue;
      const logits = network.exit(stage, value, context);
      const stays = exitCheck({ logits, settings: settings[index]!, origin, records });
      if (index === exits.length - 1) break;
      if (batch > 1) {
        const next = new Rows(batch, `samples after exit ${stage}`);
        rows.push(next);
        const { order, nextOrigin } = compact({ stays, origin }, { next });
        value = gatherRows({ x: value, order });
        origin = nextOrigin;
      }
      checkpoint();
    }
    return {};
  };
  const dispose = (): void => [records, ...settings].forEach((tensor) => tensor.dispose());
  try {
    const input = { dtype: 'f32', shape: [batch, ...network.input], rows: rows[0]! } as const;
    const program = await compile(device, { x: input }, body, { label: network.name });
    return {
      program,
      rows,
      settings,
      records: { buffer: records.buffer, offset: records.offset, size: records.byteLength },
      dispose: () => {
        program.dispose();
        dispose();
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
