import { accuracyChart } from './charts/accuracy.ts';
import { inlineSvg, standaloneSvg } from './charts/chart.ts';
import { criterionText } from './evaluation.ts';
import type { Findings } from './findings.ts';
import { plural, whole } from './format.ts';
import { html, Markup } from './markup.ts';
import { modelSection } from './model-section.ts';
import { PAGE_STYLE } from './page-style.ts';
import { comparisonTable } from './page-tables.ts';
import type { PageTools, Place } from './page-tools.ts';
import { verdictOf } from './verdict.ts';

export interface Page {
  /** Complete in itself: it asks for nothing over the network, and needs no script. */
  readonly html: string;
  /** The figures as files of their own. */
  readonly figures: readonly { readonly id: string; readonly svg: string }[];
}

/** A report for people: the verdict first, then what it was measured on, then the figures. */
export async function reportPage(findings: Findings, tools: PageTools): Promise<Page> {
  const { data, adapter, models, plain } = findings;
  const figures: { id: string; svg: string }[] = [];
  const source = `${data.name}, ${plural(data.samples, 'sample')}; ${adapter}`;
  const place: Place = async ({ id, alt, spec }, caption) => {
    const svg = await tools.draw(spec);
    figures.push({ id, svg: standaloneSvg(svg) });
    return html`<figure id="${id}">${new Markup(inlineSvg(svg, alt))}
<figcaption>${caption} <span class="source">${source}</span></figcaption></figure>`;
  };
  const accuracy = await place(
    accuracyChart(models, plain),
    'The curve: thresholds chosen on validation data, judged here; the band and the bars hold 95 %. ' +
      'Filled: the thresholds in use. Ring: the same network without exits.' +
      (plain.length > 0 ? ' Diamond: a network trained without exits.' : ''),
  );
  const sections: Markup[] = [];
  for (const [index, model] of models.entries()) {
    sections.push(await modelSection(model, { ...tools, place, index, several: models.length > 1 }));
  }
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${models.map(({ name }) => name).join(', ')} on ${data.name}: exitgpu report</title>
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
${header(findings)}
<main>
<h2>Accuracy against compute</h2>
<div class="grid">
${accuracy}
${comparisonTable(models, plain)}
</div>
${sections}
</main>
${footer(findings)}
</body>
</html>
`;
  return { html: page.text, figures };
}

function header({ data, adapter, date, models }: Findings): Markup {
  const verdicts = models.map(verdictOf);
  const [only] = verdicts;
  const said =
    models.length === 1
      ? html`<h1>${only!.headline}</h1>
<p class="lead">${only!.detail}</p>`
      : html`<h1>${whole(models.length)} models on ${data.name}</h1>
<ul class="verdicts">${verdicts.map(({ headline, detail }, index) =>
          html`<li><strong>${models[index]!.name}</strong>: ${headline} ${detail}</li>`)}</ul>`;
  const warnings = models.flatMap(({ name, warnings: list }) =>
    list.map((warning) => (models.length > 1 ? `${name}: ${warning}` : warning)));
  const rule = models.length === 1 ? criterionText(models[0]!.criterion) : 'see each model';
  const names = [...new Set(models.map(({ network }) => network))].join(', ');
  return html`<header>
<p class="kind">Early-exit report: ${names}</p>
${said}
${warnings.map((warning) => html`<p class="warning"><strong>Warning:</strong> ${warning}.</p>`)}
<dl class="facts">
<div><dt>Measured on</dt><dd>${data.name}, ${plural(data.samples, 'sample')}</dd></div>
<div><dt>Adapter</dt><dd>${adapter}</dd></div>
<div><dt>A sample leaves if</dt><dd>${rule}</dd></div>
<div><dt>Date</dt><dd>${date}</dd></div>
</dl>
</header>`;
}

function footer({ data, versions, models }: Findings): Markup {
  const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return html`<footer>
<p>${models.map(({ name }) => name).join(', ')}; data fingerprint ${data.fingerprint}; ${made.join(', ')}.</p>
<p>Intervals are at 95 %: Wilson's for shares, paired bootstrap for differences. Samples with a NaN or infinite score
never leave early and count as wrong.</p>
</footer>`;
}
