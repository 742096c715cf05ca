import {
  CORRUPTIONS,
  corrupt,
  diagnose,
  loadModel,
  POLICIES,
  readModelFile,
  scoreExits,
  slice,
  stability,
} from '../../node.ts';
import type { Criterion, Dataset, Device, Model, PolicyKind, ScoreTable } from '../../node.ts';
import { measureLatency } from '../../earlyexit/judgement/latency.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { diagnosisChart } from '../../report/charts/diagnosis.ts';
import { diagnosisText } from '../../report/diagnosis.ts';
import { plural } from '../../report/format.ts';
import { note } from '../console.ts';
import {
  chooseAgain,
  chooseNow,
  criterionFlags,
  decide,
  decidesItself,
  fromChoice,
  fromModel,
  maxLossFlag,
} from '../criterion.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { readBytes } from '../files.ts';
import { choice, flag, integer, optionalFlag, svgFlag, text } from '../flags.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb, onData } from '../verb.ts';

/** Of the corruptions, the middle one. */
const SEVERITY = 3;

export const diagnoseVerb = defineVerb({
  name: 'diagnose',
  inputs: '<file>',
  summary: 'Name what is wrong with the exits of a model, with the evidence and what to do about it',
  flags: {
    ...dataFlags,
    plain: optionalFlag(text, {
      placeholder: 'file',
      help: 'The same network trained without exits: whether these have cost the last exit accuracy',
    }),
    ...criterionFlags,
    maxLoss: maxLossFlag,
    policy: flag(choice(...POLICIES), {
      placeholder: 'policy',
      help: `How the host learns where samples leave: ${POLICIES.join(', ')}; the others are timed beside it`,
      fallback: 'readback',
    }),
    samples: flag(integer(1), { placeholder: 'n', help: 'Test samples looked at, from the first', fallback: '1000' }),
    timed: flag(integer(0), {
      placeholder: 'n',
      help: 'Samples whose latency is measured, singly; 0 for none, as where the machine is busy with other things',
      fallback: '200',
    }),
    draws: flag(integer(2), { placeholder: 'n', help: 'Validation sets resampled for the stability', fallback: '100' }),
    batch: flag(integer(1), { placeholder: 'n', help: 'Samples that go through the network together', fallback: '64' }),
    svg: svgFlag,
    adapter: adapterFlag,
  },
  async run([file], flags) {
    const bytes = await readBytes(file!, 'a model file');
    const { network, details } = readModelFile(bytes, file);
    if (network.stages.length === 1) {
      throw new UsageError(`${file}: expected a network with early exits, got one exit, which always answers`);
    }
    const plain = flags.plain === undefined ? undefined : await readBytes(flags.plain, 'a model file');
    if (plain) readModelFile(plain, flags.plain);
    const { validation, test } = await readData(flags);
    for (const part of [validation, test]) checkFits(network, part, '--data');
    const judged = slice(test, 0, Math.min(flags.samples, test.labels.length));

    using device = await openDevice(flags.adapter);
    using model = loadModel(device, bytes, file);
    const learned = decidesItself(network, flags) && !details.thresholds;
    const stated = decide(network, details.thresholds, flags);
    const given = stated ?? (learned ? await fromModel(model) : undefined);
    const scoring = { batch: flags.batch, temperatures: given?.criterion.temperatures };
    const firm = given && given.source === 'given' ? undefined : await validated();
    const { criterion, origin } = given ?? fromChoice(firm!.chosen, 'chosen');

    /** Thresholds as they would be chosen now, and how firm they are; nothing where the model has learned to leave. */
    async function validated() {
      if (learned) return undefined;
      note(`asking every exit about ${validation.name}`);
      const table = await scoreExits(model, validation, scoring);
      const choose =
        given && details.thresholds
          ? chooseAgain(details.thresholds)
          : (from: ScoreTable) => chooseNow(from, flags);
      return { chosen: choose(table), stability: stability(table, choose, { draws: flags.draws }) };
    }

    note(`asking every exit about ${judged.name}, as it is and made worse`);
    const scores = await scoreExits(model, judged, scoring);
    const shifted = await scoreShifted(model, judged, scoring);
    if (flags.timed > 0) note('measuring latency under each policy');
    const latency = flags.timed > 0 ? await timePolicies(model, judged, criterion, flags) : undefined;
    const examinations = diagnose({
      scores,
      criterion,
      heads: network.macs.heads,
      plain: plain && (await scorePlain(device, plain, flags.plain!, judged, flags.batch)),
      stability: firm?.stability,
      latency,
      shifted,
    });
    const about = `${judged.name}, ${plural(judged.labels.length, 'sample')}; ${origin}; adapter ${device.name}`;
    return {
      text: diagnosisText(examinations, { title: file!, about }),
      json: { adapter: device.name, dataset: judged.name, samples: judged.labels.length, criterion, examinations },
      picture: {
        chart: diagnosisChart(examinations, 'diagnosis'),
        caption: [onData(file!, judged), 'bars: 95 %'],
      },
    };
  },
});

type Scoring = Parameters<typeof scoreExits>[2];

async function scoreShifted(model: Model, dataset: Dataset, scoring: Scoring) {
  const shifted: { name: string; scores: ScoreTable }[] = [];
  for (const kind of CORRUPTIONS) {
    const worse = corrupt(dataset, { kind, severity: SEVERITY, seed: 1 });
    shifted.push({ name: kind, scores: await scoreExits(model, worse, scoring) });
  }
  return shifted;
}

async function timePolicies(
  model: Model,
  dataset: Dataset,
  criterion: Criterion,
  { policy: used, timed }: { policy: PolicyKind; timed: number },
) {
  using full = await model.compile({ exits: [model.network.stages.length] });
  const latency = [];
  for (const policy of [used, ...POLICIES.filter((other) => other !== used)]) {
    using early = await model.compile({ criterion, policy });
    latency.push({ policy, times: (await measureLatency({ early, full }, dataset, timed)).times });
  }
  return latency;
}

async function scorePlain(device: Device, bytes: Uint8Array, file: string, dataset: Dataset, batch: number) {
  using model = loadModel(device, bytes, file);
  return await scoreExits(model, dataset, { batch });
}
