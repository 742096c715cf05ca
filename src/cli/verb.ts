import { basename } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import type { Chart } from '../report/charts/chart.ts';
import { plural } from '../report/format.ts';
import type { Flags, Values } from './flags.ts';

/** What a verb did. */
export interface Outcome {
  /** For people, on standard output. */
  readonly text: string;
  /** For programs: what `--json` writes. */
  readonly json: object;
  /** For people too: what `--svg` draws, where the verb has that flag. */
  readonly picture?: Picture;
  /** 0 where left out. */
  readonly exitCode?: number;
}

export interface Picture {
  readonly chart: Chart;
  /** What it was measured on, in lines that stand below. */
  readonly caption: readonly string[];
}

/** The line that says what was measured on what. */
export const onData = (file: string, { name, labels }: Dataset): string =>
  `${basename(file)} on ${name}, ${plural(labels.length, 'sample')}`;

/** One verb of the command. */
export interface Verb<F extends Flags = Flags> {
  readonly name: string;
  /** Its arguments, `<file>` required and `[file]` not; the last may be `<...files>`. */
  readonly inputs?: string;
  readonly summary: string;
  readonly flags: F;
  /** Called with flags that are in range. */
  run(inputs: readonly string[], flags: Values<F>): Promise<Outcome>;
}

/** Types `run` by the flags. */
export const defineVerb = <F extends Flags>(verb: Verb<F>): Verb<F> => verb;
