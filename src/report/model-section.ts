import type { ThresholdStability } from '../earlyexit/judgement/stability.ts';
import { densityChart } from './charts/densities.ts';
import { depthChart } from './charts/depth.ts';
import { latencyChart } from './charts/latency.ts';
import { reliabilityChart } from './charts/reliability.ts';
import { criterionText } from './evaluation.ts';
import type { ModelFindings, UnknownFindings } from './findings.ts';
import { percent, plural } from './format.ts';
import { gallerySection } from './gallery-section.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import { guaranteeEntry } from './model.ts';
import { exitTable, stabilityTable } from './page-tables.ts';
import type { PageTools, Place } from './page-tools.ts';

/** All that is about one model alone. */
export async function modelSection(
  model: ModelFindings,
  tools: Omit<PageTools, 'draw'> & { place: Place; index: number; several: boolean },
): Promise<Markup> {
  const { place, index, several } = tools;
  const { name, reliability, densities, unknown, latency, criterion, origin, stability } = model;
  const idOf = (figure: string): string => `${figure}${several ? `-${index + 1}` : ''}`;
  const depth = await place(
    depthChart(
      model.depths.map(({ exit, share: { value }, accuracy }) =>
        ({ exit, share: value, accuracy: accuracy?.value ?? null })),
      idOf('depth'),
    ),
    'Share of the samples that leave at each exit: blue is right, orange is wrong.',
  );
  const times = await place(
    latencyChart(model, idOf('latency')),
    `${plural(latency.times.early.length, 'sample')} one by one, with exits and without in turn. ` +
      'Dashed: p50, p95, p99.',
  );
  const trust: Markup[] = [];
  for (const exit of reliability) {
    const caption =
      'On the diagonal an exit is right as often as it says; ECE: how far it is off. Larger dots: more samples.';
    trust.push(await place(reliabilityChart(exit, idOf(`reliability-exit-${exit.exit}`)), caption));
  }
  const scores: Markup[] = [];
  for (const exit of densities.filter(({ groups }) => groups.length > 0)) {
    const leaves = exit.threshold === null ? '' : ' Left of the dashed line a sample that comes so far leaves.';
    const caption = `Exit ${exit.exit}: the surer, the further left.${leaves} Each row is scaled to its own peak.`;
    scores.push(await place(densityChart(exit, idOf(`scores-exit-${exit.exit}`)), caption));
  }
  const titles = several
    ? html`<h2 class="model">${name}</h2>
<p class="note">Leaves if ${criterionText(criterion)}: ${origin}.</p>`
    : html`<p class="note">Thresholds: ${origin}.</p>`;
  return html`${titles}
<h2>Where samples leave, and what it saves</h2>
<div class="grid">
${depth}
${times}
</div>
<div class="grid">
${exitTable(model)}
</div>
<p class="note">Failure AUROC: how likely a right answer is surer than a wrong one; 0.5 is chance. Worth: what changes
with the exit against without it.</p>
<h2>Whether what the exits say can be believed</h2>
<p class="note">Good calibration alone does not make a good exit: what it needs is to be less sure of what it gets
wrong.</p>
<div class="grid small">
${trust}
</div>
<div class="grid">
${scores}
</div>
${unknown ? unknownNote(unknown) : ''}
${gallerySection(model, tools)}
${stability ? stabilitySection(stability) : ''}
<h2>Guarantee</h2>
<p class="note">${guaranteeText(model)}</p>`;
}

const stabilitySection = (stability: readonly ThresholdStability[]): Markup => html`
<h2>How firm the thresholds are</h2>
<p class="note">Chosen anew on resampled validation data they fall within these intervals, in 95 % of the draws; from one
end to the other, accuracy there and the share that leaves move by so much.</p>
<div class="grid">
${stabilityTable(stability)}
</div>`;

function unknownNote({ dataset, samples, byExit, leaving }: UnknownFindings): Markup {
  const told = byExit.map(({ exit, auroc, fpr95 }) =>
    `exit ${exit} tells them from known ones with AUROC ${auroc.toFixed(3)}, FPR95 ${percent(fpr95, 1)}`);
  const gone = leaving ? `, of which ${percent(leaving.value, 1)} wrongly leave early` : '';
  const text = `Unknown inputs: ${plural(samples, 'sample')} of ${dataset}${gone}; ${told.join('; ')}.`;
  return html`<p class="note">${text}</p>`;
}

const guaranteeText = ({ guarantee, depths }: ModelFindings): string => {
  if (guarantee) return `${guaranteeEntry(guarantee)[1]}.`;
  if (depths.length === 1) return 'None is needed: one exit answers for all.';
  return 'None is stored: what was seen here may turn out otherwise on other samples of the same kind.';
};
