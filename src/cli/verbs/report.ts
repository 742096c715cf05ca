import { basename, dirname, join } from 'node:path';
import { PNG } from 'pngjs';
import {
  imageAt,
  loadModel,
  measureLatency,
  POLICIES,
  readModelFile,
  readUnlabelledImages,
  scoreExits,
  stability,
} from '../../node.ts';
import type {
  ChosenThresholds,
  Criterion,
  Dataset,
  DatasetParts,
  Device,
  Model,
  ScoreTable,
  ThresholdStability,
} from '../../node.ts';
import { checkFits } from '../../earlyexit/network.ts';
import { describeData, judgeBaseline, judgeModel } from '../../report/findings.ts';
import type { Baseline, Findings, ModelFindings } from '../../report/findings.ts';
import { reportPage } from '../../report/page.ts';
import { verdictOf } from '../../report/verdict.ts';
import { note } from '../console.ts';
import {
  chooseAgain,
  chooseNow,
  chosenHere,
  criterionFlags,
  decide,
  decidesItself,
  fromModel,
  maxLossFlag,
} from '../criterion.ts';
import { dataFlags, readData } from '../data.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { checkWritable, makeFolder, readBytes, writeWhole } from '../files.ts';
import { choice, flag, integer, optionalFlag, text, texts } from '../flags.ts';
import type { Values } from '../flags.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb } from '../verb.ts';
import { versions } from '../versions.ts';
import { suspicions } from './evaluate.ts';

const flags = {
  ...dataFlags,
  unknown: optionalFlag(text, {
    placeholder: 'folder',
    help: 'Images of no known class, an IDX file or a folder with one: how sure the exits are of these',
  }),
  plain: optionalFlag(texts, {
    placeholder: 'file[,file..]',
    help: 'Models to compare with that were trained without exits; of others the last exit is asked',
  }),
  out: flag(text, {
    placeholder: 'page.html',
    help: 'The page; its numbers go to page.json, its figures to page-figures/',
    fallback: 'report.html',
  }),
  ...criterionFlags,
  maxLoss: maxLossFlag,
  policy: flag(choice(...POLICIES), {
    placeholder: 'policy',
    help: `How latency is measured: ${POLICIES.join(', ')}`,
    fallback: 'readback',
  }),
  timed: flag(integer(1), { placeholder: 'n', help: 'Samples whose latency is measured, one by one', fallback: '500' }),
  batch: flag(integer(1), { placeholder: 'n', help: 'Samples together where exits are judged', fallback: '64' }),
  adapter: adapterFlag,
};

type Options = Values<typeof flags>;

export const reportVerb = defineVerb({
  name: 'report',
  inputs: '<...files>',
  summary: 'Write a page about models for people: the verdict, curves, where samples leave, what they look like',
  flags,
  async run(files, options) {
    const out = outputs(options.out);
    await checkWritable(out.page);
    const all = [...files, ...(options.plain ?? [])];
    const [models, plain] = await Promise.all([files, options.plain ?? []].map((paths) => readFiles(paths, all)));
    const parts = await readData(options);
    const unknown = options.unknown === undefined ? undefined : await readUnlabelledImages(options.unknown);
    for (const { network } of [...models!, ...plain!]) checkFits(network, parts.test, '--data');
    if (unknown) for (const { network } of models!) checkFits(network, unknown, '--unknown');
    using device = await openDevice(options.adapter);

    const judged: ModelFindings[] = [];
    for (const file of models!) {
      note(`${file.path}: asking every exit`);
      judged.push(await judge(device, file, parts, unknown, options));
    }
    const baselines: Baseline[] = [];
    for (const file of plain!) {
      using model = loadModel(device, file.bytes, file.path);
      const table = await scoreExits(model, parts.test, { batch: options.batch });
      baselines.push(judgeBaseline(file.name, file.network, table));
    }
    const findings: Findings = {
      data: describeData(parts.test),
      adapter: device.name,
      date: new Date().toISOString().slice(0, 10),
      versions: versions(),
      models: judged,
      plain: baselines,
    };
    const { draw } = await import('../draw.ts');
    const { classNames } = models![0]!.details;
    const page = await reportPage(findings, { draw, picture: pictures(parts.test), classNames });
    await writeWhole(out.page, page.html);
    await writeWhole(out.json, `${JSON.stringify(findings, null, 2)}\n`);
    await makeFolder(out.figures);
    for (const { id, svg } of page.figures) await writeWhole(join(out.figures, `${id}.svg`), svg);
    return { text: summary(findings, out), json: findings };
  },
});

type ModelInput = Awaited<ReturnType<typeof readFiles>>[number];

const readFiles = (paths: readonly string[], all: readonly string[]) =>
  Promise.all(
    paths.map(async (path) => {
      const bytes = await readBytes(path, 'a model file');
      return { path, name: nameIn(all, path), bytes, ...readModelFile(bytes, path) };
    }),
  );

/** @throws UsageError unless it is the name of an HTML file */
function outputs(page: string): { page: string; json: string; figures: string } {
  const stem = basename(page).replace(/\.html?$/i, '');
  if (stem === basename(page) || stem === '') {
    throw new UsageError(`--out: expected a name such as report.html, got '${page}'`);
  }
  return { page, json: join(dirname(page), `${stem}.json`), figures: join(dirname(page), `${stem}-figures`) };
}

/** What the page calls a model: its file, with the folder where a file in another has the same name. */
function nameIn(paths: readonly string[], path: string): string {
  const short = (one: string): string => basename(one, '.safetensors');
  const twins = new Set(paths.filter((other) => short(other) === short(path)));
  return twins.size > 1 ? path : short(path);
}

/** Records what a model says, and how long it takes, and makes findings of it. */
async function judge(
  device: Device,
  { path, name, bytes, network, details }: ModelInput,
  parts: DatasetParts,
  unknown: Dataset | undefined,
  options: Options,
): Promise<ModelFindings> {
  using model = loadModel(device, bytes, path);
  const decided = decide(network, details.thresholds, options) ??
    (decidesItself(network, options) ? await fromModel(model) : undefined);
  const { batch } = options;
  const score = (dataset: Dataset): Promise<ScoreTable> =>
    scoreExits(model, dataset, { batch, temperatures: decided?.criterion.temperatures });
  const validation = await score(parts.validation);
  const { criterion, source, origin, chosenOn } = decided ?? chosenHere(validation, options);
  const again = decided
    ? details.thresholds && chooseAgain(details.thresholds)
    : (table: ScoreTable) => chooseNow(table, options);
  const test = await score(parts.test);
  const known = unknown && (await score(unknown));
  return judgeModel({
    name,
    network,
    criterion,
    origin,
    test,
    validation,
    unknown: known,
    latency: await time(model, criterion, parts.test, options),
    stability: again && firmness(validation, criterion, again),
    guarantee: source === 'stored' ? details.thresholds?.guarantee : undefined,
    warnings: suspicions(model, parts.test, chosenOn?.fingerprint),
  });
}

/** How firm thresholds are, where they are those that tuning finds on this data: of others it is not known. */
function firmness(
  validation: ScoreTable,
  used: Criterion,
  choose: (table: ScoreTable) => ChosenThresholds,
): ThresholdStability[] | undefined {
  if (validation.exits.length === 1 || !('thresholds' in used)) return undefined;
  const { criterion, values, classValues } = choose(validation);
  if (classValues || criterion !== used.kind || values.join() !== used.thresholds.join()) return undefined;
  note('choosing thresholds anew on resampled data, to see how firm they are');
  return stability(validation, choose);
}

async function time(model: Model, criterion: Criterion, dataset: Dataset, { policy, timed }: Options) {
  using early = await model.compile({ criterion, policy });
  using full = await model.compile({ exits: [model.network.stages.length] });
  return await measureLatency({ early, full }, dataset, Math.min(timed, dataset.labels.length));
}

/** Grey or coloured samples as PNG; others are not shown. */
const pictures = (dataset: Dataset) => (sample: number): string | undefined => {
  const [channels, height, width] = dataset.shape;
  if (channels !== 1 && channels !== 3) return undefined;
  const pixels = imageAt(dataset, sample);
  const plane = width * height;
  const image = new PNG({ width, height });
  for (let at = 0; at < plane; at++) {
    for (let of = 0; of < 3; of++) image.data[4 * at + of] = pixels[channels === 1 ? at : of * plane + at]!;
    image.data[4 * at + 3] = 255;
  }
  return `data:image/png;base64,${PNG.sync.write(image, { colorType: channels === 1 ? 0 : 2 }).toString('base64')}`;
};

function summary({ models }: Findings, { page, json, figures }: ReturnType<typeof outputs>): string {
  const verdicts = models.map((model) => {
    const { headline, detail } = verdictOf(model);
    return `${model.name}: ${headline} ${detail}`.trim();
  });
  return [...verdicts, '', `${page}, ${json}, ${figures}/`].join('\n');
}
