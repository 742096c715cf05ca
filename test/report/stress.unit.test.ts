import { expect, it } from 'vitest';
import { energyText, loadText, slowDownText, worstCaseText } from '../../src/report/stress.ts';

const load = { rate: 50, offered: 49, achieved: 48, served: 250, rejected: 0 };
const worst = {
  macs: { worst: 1_247_720, full: 1_140_070 },
  latencyMs: {
    worst: { p50: 2, p95: 2.5, p99: 3, slowest: 4 },
    full: { p50: 1.5, p95: 1.6, p99: 1.7, slowest: 104 },
    samples: 100,
  },
};

it('latency under load says how many calls were answered, and nothing of a time where none was', () => {
  const early = { ...load, latencyMs: { p50: 1.234, p95: 15, p99: 1500 } };
  const full = { ...load, served: 0, rejected: 1000, latencyMs: { p50: NaN, p95: NaN, p99: NaN } };
  const [, , header, ...rows] = loadText([{ rate: 50, early, full }]).split('\n');
  expect(header!.trim().split(/ {2,}/)).toEqual(['served', 'p50', 'p95', 'p99']);
  expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
    ['50/s, with exits', '250 of 250', '1.23 ms', '15.0 ms', '1,500 ms'],
    ['without', '0 of 1,000', '-', '-', '-'],
  ]);
});

it('the worst case is told in work and in time', () => {
  const text = worstCaseText(worst);
  expect(text.replaceAll('\n', ' ')).toContain('1,247,720 MACs, 1.09x more than without exits; 100 samples one by one');
  expect(text).toMatch(/to the last exit +2.00 ms +2.50 ms +3.00 ms +4.00 ms\n +without exits .* 104 ms$/);
});

it('inputs that avoid the exits are told beside the bound', () => {
  const before = { exit: 1.2, macs: 396_763.6, early: 0.828, accuracy: 0.96 };
  const after = { exit: 2, macs: 1_247_720, early: 0, accuracy: 0.95 };
  const text = slowDownText({ samples: 200, epsilon: 0.1, steps: 20, stepSize: 0.0125, before, after, bound: worst });
  expect(text.split('\n').slice(-3).map((row) => row.trim().split(/ {2,}/))).toEqual([
    ['as they are', '1.20', '396,764', '82.8 %', '96.00 %'],
    ['slowed down', '2.00', '1,247,720', '0.0 %', '95.00 %'],
    ['the bound', '1,247,720'],
  ]);
});

it('energy says what it is of', () => {
  expect(energyText({ early: 3.21, full: 12 })).toMatch(/3.21 mJ .* 12.0 mJ without: of the whole processor\npackage/);
});

it('no line is longer than 80 columns', () => {
  for (const line of worstCaseText(worst).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
