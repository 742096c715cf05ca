import type { ModelFindings } from './findings.ts';
import { percent } from './format.ts';
import type { Exhibit } from './gallery.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import type { PageTools } from './page-tools.ts';

/** Samples that left first, last and wrongly. */
export function gallerySection(
  { gallery, thinking }: ModelFindings,
  { picture, classNames }: Omit<PageTools, 'draw'>,
): Markup {
  const name = (label: number): string => classNames[label] ?? String(label);
  const exhibit = ({ sample, label, answer, exit, confidence }: Exhibit): Markup => {
    const [is, said] = [name(label), name(answer)];
    const image = picture(sample);
    return html`<li>${image && html`<img src="${image}" alt="sample ${sample}: ${is}">`}
${label === answer ? html`${said}` : html`<span class="miss">said ${said}</span>, is ${is}`}<br>
exit ${exit}, ${Number.isFinite(confidence) ? surely(confidence) : 'no finite score'}</li>`;
  };
  const group = (title: string, note: string, exhibits: readonly Exhibit[]): Markup => html`<div class="gallery">
<h3>${title}</h3>
<p class="note">${note}</p>
<ul class="exhibits">${exhibits.map(exhibit)}</ul>
</div>`;
  const premature = thinking?.premature && ` ${percent(thinking.premature.value)} of all samples left with a wrong ` +
    'answer where the last exit has the right one.';
  const spared = thinking?.overthinking && ` ${percent(thinking.overthinking.value)} are right at an early exit and ` +
    'wrong at the last.';
  return html`<h2>Samples to look at</h2>
<p class="note">The answer, where it left, and how sure the exit was.${premature ?? ''}${spared ?? ''}</p>
${group('Left first, most surely', 'At the earliest exit, the surest first.', gallery.first)}
${gallery.last.length > 0
    ? group('Went to the last exit', 'Those first of which exit 1 was least sure.', gallery.last)
    : ''}
${gallery.wrong.length > 0
    ? group('Left early and wrongly', 'The surest first: where thresholds would have to be strictest.', gallery.wrong)
    : ''}`;
}

/** Never 100 % of what may be wrong. */
const surely = (confidence: number): string => (confidence > 0.9999 ? '> 99.99 %' : percent(confidence));
