import { resolve } from 'node:path';
import { parseCommandLine } from './command-line.ts';
import { reportFailure } from './failure.ts';
import { checkWritable, writeWhole } from './files.ts';
import { optionalFlag, text } from './flags.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';
import { calibrateVerb } from './verbs/calibrate.ts';
import { diagnoseVerb } from './verbs/diagnose.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { evaluateVerb } from './verbs/evaluate.ts';
import { predictVerb } from './verbs/predict.ts';
import { reproduceVerb } from './verbs/reproduce.ts';
import { reportVerb } from './verbs/report.ts';
import { startVerb } from './verbs/start.ts';
import { sweepVerb } from './verbs/sweep.ts';
import { trainVerb } from './verbs/train.ts';
import { tuneVerb } from './verbs/tune.ts';
import { version } from './versions.ts';

const json = optionalFlag(text, { placeholder: 'file', help: 'Write the result there as JSON too' });

const verbs = [
  startVerb,
  trainVerb,
  evaluateVerb,
  sweepVerb,
  tuneVerb,
  calibrateVerb,
  diagnoseVerb,
  predictVerb,
  reportVerb,
  reproduceVerb,
  doctorVerb,
].map((verb): Verb => ({ ...verb, flags: { ...verb.flags, json } }) as Verb);

async function main(args: readonly string[]): Promise<number> {
  const call = parseCommandLine(args, verbs, version);
  if (!call) return 0;
  const { verb, inputs, flags } = call;
  const file = flags['json'] as string | undefined;
  if (file) {
    const others = [...inputs, (flags['out'] as string | undefined) ?? ''].filter(Boolean);
    if (others.some((other) => resolve(other) === resolve(file))) {
      throw new UsageError(`--json: expected a file that nothing else names, got '${file}'`);
    }
    await checkWritable(file);
  }
  const outcome = await verb.run(inputs, flags);
  console.log(outcome.text);
  if (file) await writeWhole(file, `${JSON.stringify(outcome.json, null, 2)}\n`);
  return outcome.exitCode ?? 0;
}

// Whoever reads our output may stop reading.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2)).catch(reportFailure);
