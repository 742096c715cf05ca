import { describe, expect, it } from 'vitest';
import { draw } from '../../src/cli/draw.ts';
import type { Guarantee } from '../../src/index.ts';
import { placeLabels } from '../../src/report/charts/labels.ts';
import { judgeModel } from '../../src/report/findings.ts';
import type { Recorded } from '../../src/report/findings.ts';
import { escapeHtml, html } from '../../src/report/markup.ts';
import { reportPage } from '../../src/report/page.ts';
import { notFinite, randomTable, said, tableOf } from '../earlyexit/score-tables.ts';
import { findingsOf, recorded } from './recorded.ts';

const tools = { draw, picture: () => 'data:image/png;base64,AAAA', classNames: ['a', 'b', 'c', 'd'] };
const test = randomTable(2, 60, 1);
/** But for the words about scores that are none. */
const NO_NUMBER = /NaN(?! or infinite)|undefined|Infinity|\[object/;
const page = (table = test, changes: Partial<Recorded> = {}) =>
  reportPage(findingsOf(table, judgeModel(recorded(table, changes))), tools);

describe('the page', async () => {
  const same = await page();

  it('says the numbers, what they were measured on, and nothing that is no number', async () => {
    const unknown = tableOf([0, 0], [said(0, 0.1), said(1, 0.9)], [said(0, 0.1), said(1, 0.9)]);
    const { html: text } = await page(test, { unknown });
    const { accuracy, accuracyFull } = judgeModel(recorded(test));
    for (const { value } of [accuracy, accuracyFull]) expect(text).toContain(`${(100 * value).toFixed(2)} %`);
    for (const part of ['by hand, 60 samples', 'an adapter', '2026-11-22', 'entropy &lt; 0.4 nats', 'exitgpu 0.1.0']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('50.0 % wrongly leave early');
    expect(text).not.toMatch(NO_NUMBER);
  });

  it('has a picture with words for every figure, and its source', () => {
    const { html: text, figures } = same;
    expect(figures.map(({ id }) => id)).toEqual(
      ['accuracy', 'depth', 'latency', 'reliability-exit-1', 'reliability-exit-2', 'scores-exit-1', 'scores-exit-2'],
    );
    expect(text.match(/<svg role="img" aria-label="[^"]{20,}"/g)).toHaveLength(figures.length);
    expect(text.match(/<span class="source">by hand, 60 samples; an adapter<\/span>/g)).toHaveLength(figures.length);
    const images = text.match(/<img [^>]*>/g)!;
    expect(images.every((image) => /alt="sample \d+: [a-d]"/.test(image))).toBe(true);
    const ids = [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('asks for nothing over the network, and runs nothing', () => {
    const { html: text } = same;
    expect(text).not.toMatch(/https?:|<script|<link|@import|url\(/);
  });

  it('has figures that stand alone, light on white', () => {
    for (const { svg } of same.figures) {
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      expect(svg).toContain('fill="#ffffff"/>');
      expect(svg).not.toContain('var(');
    }
  });

  it('takes names for text', async () => {
    const name = '<script>alert("1")</script>&';
    const model = judgeModel(recorded({ ...test, dataset: { ...test.dataset, name } }, { name, origin: name }));
    const findings = { ...findingsOf({ ...test, dataset: { ...test.dataset, name } }, model), adapter: name };
    const { html: text } = await reportPage(findings, { ...tools, classNames: [name, name, name, name] });
    expect(text).not.toContain('<script');
    expect(text).toContain(escapeHtml(name));
  });

  it('sets several models side by side', async () => {
    const models = ['one', 'two'].map((name) => judgeModel(recorded(test, { name })));
    const plain = [{ name: 'plain', accuracy: models[0]!.accuracyFull, macs: 150 }];
    const { html: text, figures } = await reportPage({ ...findingsOf(test, ...models), plain }, tools);
    expect(text).toContain('<h1>2 models on by hand</h1>');
    for (const row of ['one, with exits', 'two, without', 'plain']) {
      expect(text).toContain(`<th scope="row">${row}</th>`);
    }
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    expect(figures.map(({ id }) => id)).toContain('depth-2');
  });

  it('shows a guarantee, and why figures may mislead', async () => {
    const calibration = { dataset: 'held out', fingerprint: 'abc', samples: 500 };
    const guarantee = {
      risk: 'accuracy loss',
      level: 0.01,
      method: 'ucb',
      delta: 0.1,
      candidates: 5,
      observed: 0,
      upperBound: 0.01,
      calibration,
      date: '2026-11-01',
    } satisfies Guarantee;
    const { html: text } = await page(test, { guarantee, warnings: ['it has seen these'] });
    expect(text).toContain('at most 0.01 guaranteed with probability 0.9, for samples like those of held out');
    expect(text).toContain('<strong>Warning:</strong> it has seen these.');
    expect(same.html).toContain('None is stored');
  });

  it('calls a threshold unstable that is', async () => {
    const threshold = { value: 0.4, low: 0.1, high: 0.9, standardError: 0.2 };
    const stability = [{ exit: 1, threshold, span: { accuracy: 0.0123, share: 0.3 }, slope: null, unstable: true }];
    const { html: text } = await page(test, { stability });
    expect(text).toMatch(/0\.400<small>0\.100 to 0\.900<.*1\.23 points.*30\.00 points.*<strong>unstable/);
    expect(same.html).not.toContain('stable');
  });
});

describe('what little is known gives a page too', () => {
  const one = (nats: number) => [said(0, nats), said(1, nats), said(2, nats)];

  it.each([
    ['one exit', randomTable(1, 20, 3), 'one exit: there is nothing to leave early'],
    ['three samples', tableOf([0, 1, 2], one(0.1), one(0.2)), '100.00 %'],
    ['constant scores', tableOf([0, 1, 2], one(0.1), one(0.1)), '100.00 %'],
    ['no finite score at exit 1', tableOf([0, 1, 2], [notFinite, notFinite, notFinite], one(0.1)), 'No sample leaves'],
    ['no finite score', tableOf([0, 1], [notFinite, notFinite], [notFinite, notFinite]), '2 of the samples have a NaN'],
    ['all wrong', tableOf([1, 2, 0], one(0.1), one(0.1)), '0.00 %'],
    ['four exits', randomTable(4, 30, 4), 'exit 4'],
  ])('%s', async (_, table, expected) => {
    const { html: text } = await page(table);
    expect(text).toContain(expected);
    expect(text).not.toMatch(NO_NUMBER);
  });

  it('but no samples do not', () => {
    const none = tableOf([], [], []);
    expect(() => judgeModel(recorded(none))).toThrow('report: expected samples, got none in by hand');
  });
});

it('labels cover neither each other nor points', () => {
  const size = { width: 300, height: 200 };
  const points = [0, 1, 2, 3].map((place) => ({ x: 150, y: 100 + place, text: `point ${place}` }));
  const labels = placeLabels(points, [], size);
  const tops = labels.map(({ y, x }) => ({ x, y }));
  for (const [index, a] of tops.entries()) {
    for (const b of tops.slice(index + 1)) expect(Math.abs(a.y - b.y) >= 15 || Math.abs(a.x - b.x) >= 45).toBe(true);
  }
  expect(placeLabels([{ x: 290, y: 10, text: 'at the edge' }], [], size)[0]!.x).toBeLessThan(230);
});

it('markup escapes text and keeps markup', () => {
  expect(html`<p title="${'"'}">${['<', html`<br>`, undefined]}${3}</p>`.text).toBe('<p title="&quot;">&lt;<br>3</p>');
});
