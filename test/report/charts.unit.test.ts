import { describe, expect, it } from 'vitest';
import { draw } from '../../src/cli/draw.ts';
import { entropy } from '../../src/earlyexit/criteria.ts';
import { calibrateExits } from '../../src/earlyexit/judgement/calibration/calibrators.ts';
import { calibrationReport } from '../../src/earlyexit/judgement/calibration/report.ts';
import { diagnose } from '../../src/earlyexit/judgement/diagnosis.ts';
import { stability } from '../../src/earlyexit/judgement/stability.ts';
import { tuneTo } from '../../src/earlyexit/judgement/tuning.ts';
import { captioned, standaloneSvg } from '../../src/report/charts/chart.ts';
import type { Chart } from '../../src/report/charts/chart.ts';
import { depthChart } from '../../src/report/charts/depth.ts';
import { diagnosisChart } from '../../src/report/charts/diagnosis.ts';
import { calibrationChart } from '../../src/report/charts/reliability.ts';
import { stabilityChart } from '../../src/report/charts/stability.ts';
import { randomTable } from '../earlyexit/score-tables.ts';

const table = randomTable(3, 200, 1);
const logits = table.exits.map((said) =>
  Float32Array.from(said.flatMap(({ label, confidence, finite }) =>
    Array.from({ length: 4 }, (_, at) => (finite ? (at === label ? 4 * confidence : 0) : NaN)))));
const fills = (svg: string, colour: string): number => svg.split(`="${colour}"`).length - 1;
const [BLUE, ORANGE] = ['#0a62b0', '#bd4a06'];

/** As a file of its own, which no colour or number is missing from. */
async function drawn({ spec, alt }: Chart): Promise<string> {
  const svg = standaloneSvg(await draw(captioned(spec, ['a model on by hand', 'bars: 95 %'])));
  for (const text of [svg, alt]) expect(text).not.toMatch(/NaN|undefined|Infinity|\[object|var\(/);
  for (const line of ['a model on by hand', 'bars: 95 %']) expect(svg).toContain(line);
  return svg;
}

describe('pictures that stand alone', () => {
  it('where samples leave, an exit that nobody takes among them', async () => {
    const chart = depthChart(
      [{ exit: 1, share: 0.75, accuracy: 0.9 }, { exit: 2, share: 0, accuracy: null }],
      'depth',
    );
    expect(chart.alt).toBe('Where samples leave. exit 1: 75.0 %, 90.0 % of them right; exit 2: 0.0 %.');
    expect(await drawn(chart)).toContain('75.0 %, 90.0 % of them right');
  });

  it('reliability before and after, an exit each', async () => {
    const recorded = { ...table, logits };
    const report = calibrationReport(recorded, { calibrators: calibrateExits(recorded, 'temperature') });
    const chart = calibrationChart(report, 'calibration');
    const svg = await drawn(chart);
    for (const { exit, before, after } of report) {
      const change = `ECE ${(100 * before.ece).toFixed(1)} to ${(100 * after.ece).toFixed(1)} %`;
      expect(chart.alt).toContain(`Exit ${exit}, ${change}: `);
      expect(svg).toContain(change);
    }
    // A dot and its interval for each bin.
    expect(fills(svg, BLUE)).toBeGreaterThanOrEqual(2 * report.flatMap(({ after }) => after.bins).length);
  });

  it.each([false, true])('how firm thresholds are, per class: %s', async (perClass) => {
    const target = { maxAccuracyLoss: 0.01, ...(perClass && { perClass }) };
    const firmness = stability(table, (from) => tuneTo(from, target), { draws: 5 });
    const chart = stabilityChart(firmness, { criterion: 'entropy', classNames: ['a', 'b', 'c', 'd'] }, 'stability');
    const svg = await drawn(chart);
    expect(svg).toContain('threshold of the entropy, nats');
    expect(svg).toContain(perClass ? '>exit 2 d<' : '>exit 2<');
    const unstable = firmness.filter((one) => one.unstable).length;
    expect(chart.alt.match(/\bunstable: /g)?.length ?? 0).toBe(unstable);
    expect(fills(svg, ORANGE)).toBe(2 * unstable);
  });

  it('what a diagnosis found, and what it did not look at', async () => {
    const examinations = diagnose({ scores: table, criterion: entropy(0.9), heads: [10, 10, 10] });
    const chart = diagnosisChart(examinations, 'diagnosis');
    const svg = await drawn(chart);
    for (const { kind, found } of examinations) {
      expect(chart.alt).toContain(`${kind}: ${found === null ? 'not looked at' : found ? 'FOUND' : 'not found'}`);
      expect(svg).toContain(`>${kind}<`);
    }
    expect(svg.match(/>FOUND</g)?.length).toBe(examinations.filter(({ found }) => found).length);
    expect(svg).toContain('accuracy without exits minus with them');
  });
});
