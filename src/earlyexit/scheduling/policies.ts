import type { BufferRange, PendingRead, Recording } from '../../device/recording.ts';
import type { GridKind } from '../../graph/program.ts';
import { readRecord, readScores, RECORD_BYTES, SCORE_BYTES, splitLabel, staysOn } from '../records.ts';
import type { Answer, Scores } from '../records.ts';
import type { StagedProgram } from '../staged-program.ts';
import type { Choice } from './planner.ts';

/** What one call cost. */
export interface ClassifyTrace {
  readonly submits: number;
  readonly dispatches: number;
  /** Times that the host waited for the GPU. */
  readonly reads: number;
  readonly bytesRead: number;
  /** Stages launched, and those among them that no row had reached. */
  readonly stages: number;
  readonly wasted: number;
  /** How long each wait took, in milliseconds. */
  readonly waitMs: readonly number[];
  /** Of a classifier that counts: per exit built, invocations of its stage that found a live row, as the GPU saw it. */
  readonly reached?: readonly number[];
}

export type Cost = { -readonly [K in keyof ClassifyTrace]: ClassifyTrace[K] } & { waitMs: number[]; reached?: number[] };

export const emptyCost = (): Cost => ({ submits: 0, dispatches: 0, reads: 0, bytesRead: 0, stages: 0, wasted: 0, waitMs: [] });

/** The samples of one run, at most as many as the program takes. */
export interface Run {
  readonly input: Float32Array | BufferRange;
  readonly count: number;
  /** Of a single sample, also read what it was judged by. */
  readonly scores: boolean;
  /** When to answer with what is known, on the clock of `now`. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly cost: Cost;
  readonly now: () => number;
}

/** An answer; its scores are undefined where nobody asked for them. */
export type RowAnswer = Pick<Scores, 'label' | 'finite'> & Partial<Scores> & Pick<Answer, 'exit' | 'left'>;

/**
 * Runs the samples through the stages, and gives their answers in the order of the input. A deadline is met stage by
 * stage, whatever the policy: with `gated` the host would hear nothing until the end.
 * @throws DeviceLostError, and the signal's reason
 */
export async function runStages(staged: StagedProgram, { policy, grids }: Choice, run: Run): Promise<RowAnswer[]> {
  const answers =
    policy === 'gated' && run.deadline === undefined
      ? await gated(staged, grids, run)
      : await stepwise(staged, policy === 'overlap' ? grids : undefined, run);
  if (staged.options.count) await addReached(staged, run);
  return answers;
}

async function addReached(staged: StagedProgram, { cost }: Run): Promise<void> {
  const recording = staged.record();
  const pending = recording.read(...staged.reached());
  recording.submit();
  const words = new Uint32Array(await pending());
  cost.reached = staged.options.exits.map((_, index) => (cost.reached?.[index] ?? 0) + words[index * 2]! + words[index * 2 + 1]!);
}

/** `readback`; `overlap` if there are grids for stages launched before it is known who reaches them. */
async function stepwise(staged: StagedProgram, ahead: readonly GridKind[] | undefined, run: Run): Promise<RowAnswer[]> {
  const last = staged.options.exits.length - 1;
  let pending = launch(staged, staged.start(run.input), 0, 'full', run);
  for (let index = 0; ; index++) {
    let next = ahead && index < last ? launch(staged, staged.record(), index + 1, ahead[index + 1]!, run) : undefined;
    try {
      const bytes = await collect(pending, run);
      const answers = answersAt(staged, index, bytes, run);
      if (answers === 'in records') return recordsIn(await collect(submit(staged.record(), allRecords(staged, run), run), run), run);
      if (answers) return answers;
      pending = next ?? launch(staged, staged.record(), index + 1, 'full', run);
      next = undefined;
    } finally {
      if (next) {
        run.cost.wasted++;
        next.release();
      }
    }
  }
}

async function gated(staged: StagedProgram, grids: readonly GridKind[], run: Run): Promise<RowAnswer[]> {
  const { exits } = staged.options;
  const recording = staged.start(run.input);
  exits.forEach((_, index) => staged.encode(recording, index, grids[index]));
  run.cost.stages += exits.length;
  const answers = recordsIn(await collect(submit(recording, allRecords(staged, run), run), run), run);
  const deepest = Math.max(...answers.map(({ exit }) => exits.indexOf(exit)));
  run.cost.wasted += exits.length - 1 - deepest;
  return answers;
}

/** Submits the stage of exit `index`, with what the host wants to know of it. */
function launch(staged: StagedProgram, recording: Recording, index: number, grids: GridKind, run: Run): PendingRead {
  staged.encode(recording, index, grids);
  run.cost.stages++;
  const { batch, exits } = staged.options;
  if (batch === 1) return submit(recording, { ...staged.records, size: decisionBytes(run) }, run);
  return submit(recording, index === exits.length - 1 ? allRecords(staged, run) : staged.left(index), run);
}

/** Of one sample the decision is enough; with a deadline the best answer of a row that goes on may be wanted as well. */
const decisionBytes = ({ scores, deadline }: Run): number => (deadline !== undefined ? RECORD_BYTES : scores ? SCORE_BYTES : 4);

const allRecords = ({ records }: StagedProgram, { count }: Run): BufferRange => ({ ...records, size: count * RECORD_BYTES });

/** The answers, if the run ends at exit `index`: in what was read there, or still in the records on the GPU. */
function answersAt(staged: StagedProgram, index: number, bytes: ArrayBuffer, run: Run): RowAnswer[] | 'in records' | undefined {
  const { batch, exits } = staged.options;
  const { deadline = Infinity, now } = run;
  if (batch === 1) {
    const word = new Uint32Array(bytes, 0, 1)[0]!;
    if (staysOn(word)) return now() >= deadline ? recordsIn(bytes, run) : undefined;
    return [{ ...(run.scores ? readScores(bytes) : splitLabel(word)), exit: exits[index]!, left: true }];
  }
  if (index === exits.length - 1) return recordsIn(bytes, run);
  const left = new Uint32Array(bytes)[0]!;
  staged.know(index, left);
  return left === 0 || now() >= deadline ? 'in records' : undefined;
}

const recordsIn = (bytes: ArrayBuffer, { count }: Run): RowAnswer[] => Array.from({ length: count }, (_, row) => readRecord(bytes, row));

function submit(recording: Recording, range: BufferRange, { cost, signal }: Run): PendingRead {
  signal?.throwIfAborted();
  const pending = recording.read(range);
  recording.submit();
  cost.submits++;
  cost.dispatches += recording.dispatches;
  cost.bytesRead += range.size;
  return pending;
}

async function collect(pending: PendingRead, { cost, signal, now }: Run): Promise<ArrayBuffer> {
  const began = now();
  cost.reads++;
  const bytes = await pending();
  cost.waitMs.push(now() - began);
  signal?.throwIfAborted();
  return bytes;
}
