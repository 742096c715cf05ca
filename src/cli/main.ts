import { resolve } from 'node:path';
import { captioned, standaloneSvg } from '../report/charts/chart.ts';
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
import { profileVerb } from './verbs/profile.ts';
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
  profileVerb,
  doctorVerb,
].map((verb): Verb => ({ ...verb, flags: { ...verb.flags, json } }) as Verb);

async function main(args: readonly string[]): Promise<number> {
  const call = parseCommandLine(args, verbs, version);
  if (!call) return 0;
  const { verb, inputs, flags } = call;
  const { json, svg, out } = flags as Readonly<Record<string, string | undefined>>;
  await checkApart('--json', json, [...inputs, out]);
  await checkApart('--svg', svg, [...inputs, out, json]);
  const outcome = await verb.run(inputs, flags);
  console.log(outcome.text);
  if (json) await writeWhole(json, `${JSON.stringify(outcome.json, null, 2)}\n`);
  if (svg) {
    const { draw } = await import('./draw.ts');
    const { chart, caption } = outcome.picture!;
    await writeWhole(svg, standaloneSvg(await draw(captioned(chart.spec, caption))));
  }
  return outcome.exitCode ?? 0;
}

/** @throws UsageError for a file that another of the command line is; DataError where it cannot be written */
async function checkApart(flag: string, file: string | undefined, others: readonly (string | undefined)[]) {
  if (file === undefined) return;
  if (others.some((other) => other !== undefined && resolve(other) === resolve(file))) {
    throw new UsageError(`${flag}: expected a file that nothing else names, got '${file}'`);
  }
  await checkWritable(file);
}

// Whoever reads our output may stop reading.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2)).catch(reportFailure);
