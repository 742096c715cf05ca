import type { BufferRange, PendingRead, Recording } from '../../device/recording.ts';
import type { GridKind } from '../../graph/program.ts';
import { readRecord, readScores, RECORD_BYTES, SCORE_BYTES, splitLabel, staysOn } from '../records.ts';
import type { Answer, Scores } from '../records.ts';
import type { StagedProgram } from '../staged-program.ts';
import type { Choice } from './costs.ts';

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

export type Cost = { -readonly [K in keyof ClassifyTrace]: ClassifyTrace[K] } & {
  waitMs: number[];
  reached?: number[];
};

export const emptyCost = (): Cost => ({
  submits: 0,
  dispatches: 0,
  reads: 0,
  bytesRead: 0,
  stages: 0,
  wasted: 0,
  waitMs: [],
});

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
  cost.reached = staged.options.exits.map(
    (_, index) => (cost.reached?.[index] ?? 0) + words[index * 2]! + words[index * 2 + 1]!,
  );
}

/** `readback`; `overlap` if there are grids for stages launched before it is known who reaches them. */
async function stepwise(staged: StagedProgram, ahead: readonly GridKind[] | undefined, run: Run): Promise<RowAnswer[]> {
  const last = staged.options.exits.length - 1;
  const underWay = [launch(staged, staged.start(run.input), 0, 'full', run)];
  try {
    for (let index = 0; ; index++) {
      if (ahead && index < last) underWay.push(launch(staged, staged.record(), index + 1, ahead[index + 1]!, run));
      const bytes = await collect(underWay.shift()!, run);
      const answers = answersAt(staged, index, bytes, run);
      if (answers === 'in records') return await readRecords(staged, staged.record(), run);
      if (answers) return answers;
      if (underWay.length === 0) underWay.push(launch(staged, staged.record(), index + 1, 'full', run));
    }
  } finally {
    run.cost.wasted += underWay.length;
    for (const pending of underWay) pending.release();
  }
}

async function gated(staged: StagedProgram, grids: readonly GridKind[], run: Run): Promise<RowAnswer[]> {
  const { exits } = staged.options;
  const recording = staged.start(run.input);
  exits.forEach((_, index) => staged.encode(recording, index, grids[index]));
  run.cost.stages += exits.length;
  const answers = await readRecords(staged, recording, run);
  const deepest = answers.reduce((most, { exit }) => Math.max(most, exits.indexOf(exit)), 0);
  run.cost.wasted += exits.length - 1 - deepest;
  return answers;
}

/** Submits the stage of exit `index`, with what the host wants to know of it. */
function launch(staged: StagedProgram, recording: Recording, index: number, grids: GridKind, run: Run): PendingRead {
  staged.encode(recording, index, grids);
  run.cost.stages++;
  const { batch, exits } = staged.options;
  if (batch === 1) return submit(recording, [{ ...staged.records, size: decisionBytes(run) }], run);
  if (index === exits.length - 1) return submit(recording, [allRecords(staged, run)], run);
  // With a deadline the best answers of rows that go on may be wanted as well: by the same read, since time is short.
  const best = run.deadline === undefined ? [] : [allRecords(staged, run)];
  return submit(recording, [staged.left(index), ...best], run);
}

/**
 * Of one sample the decision is enough; with a deadline the best answer of a row that goes on may be wanted as well.
 */
const decisionBytes = ({ scores, deadline }: Run): number =>
  deadline !== undefined ? RECORD_BYTES : scores ? SCORE_BYTES : 4;

const allRecords = ({ records }: StagedProgram, { count }: Run): BufferRange => ({
  ...records,
  size: count * RECORD_BYTES,
});

/** The answers, if the run ends at exit `index`: in what was read there, or still in the records on the GPU. */
function answersAt(
  staged: StagedProgram,
  index: number,
  bytes: ArrayBuffer,
  run: Run,
): RowAnswer[] | 'in records' | undefined {
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
  if (left > 0 && now() < deadline) return undefined;
  return run.deadline === undefined ? 'in records' : recordsIn(bytes.slice(4), run);
}

async function readRecords(staged: StagedProgram, recording: Recording, run: Run): Promise<RowAnswer[]> {
  return recordsIn(await collect(submit(recording, [allRecords(staged, run)], run), run), run);
}

const recordsIn = (bytes: ArrayBuffer, { count }: Run): RowAnswer[] =>
  Array.from({ length: count }, (_, row) => readRecord(bytes, row));

function submit(recording: Recording, ranges: readonly BufferRange[], { cost, signal }: Run): PendingRead {
  signal?.throwIfAborted();
  const pending = recording.read(...ranges);
  recording.submit();
  cost.submits++;
  cost.dispatches += recording.dispatches;
  for (const { size } of ranges) cost.bytesRead += size;
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
