import client from 'prom-client';
import { describe, expect, it } from 'vitest';
import { confidence, entropy, minDepth, normalizedEntropy, patience } from '../../src/earlyexit/criteria.ts';
import { recordScores, restoreScores } from '../../src/earlyexit/judgement/recording.ts';
import { halvingBins, histogramsOf, measureOf } from '../../src/earlyexit/monitor/histograms.ts';
import type { ExitHistogram } from '../../src/earlyexit/monitor/histograms.ts';
import { readingLine } from '../../src/earlyexit/monitor/lines.ts';
import { DETECTORS, Monitor } from '../../src/earlyexit/monitor/monitor.ts';
import type { Alarm, DetectorName } from '../../src/earlyexit/monitor/monitor.ts';
import { registerMetrics } from '../../src/earlyexit/monitor/prometheus.ts';
import { referenceOf } from '../../src/earlyexit/monitor/reference.ts';
import { ArgumentError, ModelFileError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';
import { CLASSES, criterion, drawing, outcomesOf, streamTable } from './monitor-streams.ts';
import { notFinite, said, tableOf } from './score-tables.ts';

const reference = referenceOf(streamTable(5000, 0, 1), criterion);
const calm = drawing(outcomesOf(streamTable(20_000, 0, 2)), reference);
const mixed = drawing(outcomesOf(streamTable(20_000, 0.2, 3)), reference);

/** Shares of streams may be above what they should be by three deviations. */
const most = (streams: number, share: number): number => streams * share + 3 * Math.sqrt(streams * share * (1 - share));

describe('a fifth of foreign samples', () => {
  it('gives, where it is none, at most a false alarm in a hundred streams of 10,000', () => {
    const streams = 60;
    let falseAlarms = 0;
    const given = new Map<DetectorName, number>();
    for (let seed = 0; seed < streams; seed++) {
      const [strict, lenient] = [new Monitor(reference), new Monitor(reference, { falseAlarms: 0.5 })];
      const random = new Random(seed);
      while (strict.samples < 10_000) {
        const reading = calm(random, 125);
        for (const monitor of [strict, lenient]) monitor.add(reading);
      }
      falseAlarms += Number(strict.alarms.length > 0);
      const detectors = new Set(lenient.alarms.map(({ detector }) => detector));
      for (const name of detectors) given.set(name, (given.get(name) ?? 0) + 1);
    }
    expect(falseAlarms).toBeLessThanOrEqual(most(streams, 0.01));
    // Where much is allowed, each of the five detectors keeps its fifth; something should come of so much.
    for (const name of DETECTORS) expect(given.get(name) ?? 0, name).toBeLessThanOrEqual(most(streams, 0.1));
    expect(given.get('scores')).toBeGreaterThan(0);
  });

  it('is found within 2,000 samples, whenever it comes', () => {
    for (let seed = 0; seed < 100; seed++) {
      const monitor = new Monitor(reference);
      const random = new Random(1000 + seed);
      while (monitor.samples < 64 * (seed % 20)) monitor.add(calm(random, 64));
      const began = monitor.samples;
      while (monitor.alarms.length === 0 && monitor.samples - began < 2000) monitor.add(mixed(random, 64));
      expect(monitor.samples - began, `stream ${seed}`).toBeLessThanOrEqual(2000);
    }
  });

  it('is found in single samples too', () => {
    const monitor = new Monitor(reference);
    for (const outcome of outcomesOf(streamTable(2000, 0.2, 9))) monitor.addOutcomes([outcome]);
    expect(monitor.samples).toBe(2000);
    expect(monitor.given.exits).toBeGreaterThan(0);
  });
});

describe('what each detector finds', () => {
  const of = (exit: number, label: number, nats: number) => ({ exit, label, entropy: nats, finite: true });
  const usual = outcomesOf(streamTable(4000, 0, 5));
  const alarmsOf = (change: (outcome: (typeof usual)[number], index: number) => (typeof usual)[number]) => {
    const monitor = new Monitor(reference);
    const alarms = [];
    for (let start = 0; start < usual.length; start += 100) {
      alarms.push(...monitor.addOutcomes(usual.slice(start, start + 100).map((one, index) => change(one, index))));
    }
    return new Set(alarms.map(({ detector }) => detector));
  };

  it('nothing in order', () => expect([...alarmsOf((one) => one)]).toEqual([]));
  it('labels that are others', () =>
    expect([...alarmsOf((one, index) => (index % 5 ? one : { ...one, label: 0 }))]).toEqual(['labels']));
  it('scores that are others, where samples leave as ever', () => {
    const found = alarmsOf((one) => (one.exit > 1 ? one : { ...one, entropy: Math.min(one.entropy! * 2, 0.0499) }));
    expect([...found].sort()).toEqual(['scoreOrder', 'scores']);
  });
  it('samples that stay, and rows that are not finite', () => {
    expect(alarmsOf((one, index) => (index % 4 ? one : { ...one, exit: 3, entropy: 0.3 }))).toContain('exits');
    const found = alarmsOf((one, index) => (index % 4 ? one : { ...one, exit: 3, finite: false }));
    expect(found).toContain('exits');
    expect(found).toContain('scores');
  });
  it('a change in the midst, by depth alone where the reference knows nothing of depth', () => {
    // Both before and after the change the shares are within what the record may be wrong by.
    const small = referenceOf(tableOf([0, 1, 2, 3], [0, 1, 2, 3].map((label) => said(label, label / 2)),
      [0, 1, 2, 3].map((label) => said(label, 0.1))), entropy(0.6));
    const monitor = new Monitor(small, { window: 1e6 });
    const reading = (deep: number) => Array.from({ length: 100 }, (_, i) => of(i < deep ? 2 : 1, 0, 0));
    const add = (deep: number) => monitor.addOutcomes(reading(deep));
    for (let times = 0; times < 20; times++) expect(add(40)).toEqual([]);
    const alarms = Array.from({ length: 10 }, () => add(60)).flat();
    expect(alarms[0]).toMatchObject({ detector: 'depth', exit: undefined, found: 400, samples: 2300 });
    expect(new Set(alarms.map(({ detector }) => detector))).toEqual(new Set(['depth']));
  });
});

describe('a monitor', () => {
  it('goes on after a restart as if there had been none', () => {
    const random = new Random(77);
    const readings = Array.from({ length: 60 }, (_, index) => (index < 20 ? calm : mixed)(random, 64));
    const through = new Monitor(reference);
    let restarted = new Monitor(reference);
    const alarms: Alarm[][] = [[], []];
    readings.forEach((reading) => {
      alarms[0]!.push(...through.add(reading));
      const saved: unknown = JSON.parse(JSON.stringify(restarted));
      restarted = new Monitor(JSON.parse(JSON.stringify(reference)) as typeof reference, {}, saved);
      alarms[1]!.push(...restarted.add(reading));
    });
    expect(alarms[0]!.length).toBeGreaterThan(1);
    expect(alarms[1]).toEqual(alarms[0]);
    expect(restarted.toJSON()).toEqual(through.toJSON());
    expect(through.samples).toBe(60 * 64);
    expect(through.given.exits).toBe(alarms[0]!.filter(({ detector }) => detector === 'exits').length);
  });

  it('gives a state that stays as it is, whatever comes later', () => {
    const random = new Random(78);
    const monitor = new Monitor(reference);
    monitor.add(calm(random, 64));
    const saved = monitor.toJSON();
    const written = JSON.stringify(saved);
    monitor.add(calm(random, 64));
    expect(JSON.stringify(saved)).toBe(written);
  });

  it('calls back for each alarm, and takes empty readings', () => {
    const heard: Alarm[] = [];
    const monitor = new Monitor(reference, { onAlarm: (alarm) => heard.push(alarm) });
    expect(monitor.add(histogramsOf([], CLASSES, reference))).toEqual([]);
    const alarms = monitor.add(mixed(new Random(4), 2000));
    expect(heard).toEqual(alarms);
    expect(heard.length).toBeGreaterThan(0);
  });

  it('takes one exit, one class that is ever predicted, and three samples', () => {
    const one = referenceOf(tableOf([0, 0, 0], [said(0, 1), said(0, 1), said(0, 1)]), entropy(0));
    expect(one.edges).toEqual([[1]]);
    const monitor = new Monitor(one);
    const outcome = { ...said(0, 1), exit: 1 };
    expect(monitor.addOutcomes(new Array(2000).fill(outcome))).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    ['a rate', () => new Monitor(reference, { falseAlarms: 0 }), 'expected falseAlarms between 0 and 1, got 0'],
    ['a window', () => new Monitor(reference, { window: 0.5 }), 'Monitor: expected a window of 1 sample or more'],
    ['a record', () => new Monitor({ ...reference, samples: 3 }), 'got one that does not add up'],
    ['an edge', () => new Monitor({ ...reference, edges: [[NaN], [1], [1]] }), 'finite edges, ascending, got [NaN]'],
    ['bins', () => new Monitor(reference).add([]), 'expected histograms by the bins of the reference, got others'],
    ['an exit', () => new Monitor(reference).addOutcomes([{ ...said(0, 0), exit: 4 }]), 'exits from 1 to 3, got 4'],
    ['a score', () => new Monitor(reference).addOutcomes([{ label: 1, finite: true, exit: 1 }]), '{ scores: true }'],
    ['another state', () => {
      const other = referenceOf(streamTable(100, 0, 8), criterion);
      return new Monitor(other, {}, JSON.parse(JSON.stringify(new Monitor(reference))));
    }, 'expected a state of the same reference'],
  ])('refuses %s that is none', (_, make, message) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  it('refuses a state that is none', () => {
    expect(() => new Monitor(reference, {}, { samples: 1 })).toThrow(ModelFileError);
  });
});

describe('a reference', () => {
  it('has bins of as many samples each, at each exit, and survives JSON', () => {
    for (const { scores } of reference.exits.slice(0, 2)) {
      const [least, most] = [Math.min(...scores), Math.max(...scores)];
      expect(scores).toHaveLength(10);
      expect(most - least).toBeLessThanOrEqual(1);
    }
    expect(reference.samples).toBe(5000);
    expect(JSON.parse(JSON.stringify(reference))).toEqual(reference);
  });

  it('of a recorded table is that of the table, so that a state saved under one holds under the other', () => {
    const table = streamTable(5000, 0, 1);
    const recorded = restoreScores(recordScores({ table, network: 'by-hand', heads: [1, 1, 1] })).table;
    expect(referenceOf(recorded, criterion)).toEqual(reference);
  });

  it('counts what leaves by the criterion, by hand', () => {
    const table = tableOf([0, 1, 2, 3, 0], [said(0, 0.1), said(1, 0.2), said(2, 0.9), said(3, 0.9), notFinite],
      [said(0, 0), said(1, 0), said(2, 0.4), said(1, 0.6), notFinite]);
    const { exits, edges } = referenceOf(table, entropy(0.5), { bins: 2 });
    expect(edges).toEqual([[Math.fround(0.2)], [Math.fround(0.6)]]);
    expect(exits).toEqual([
      { labels: [1, 1, 0, 0], scores: [1, 1], notFinite: 0 },
      { labels: [0, 1, 1, 0], scores: [1, 1], notFinite: 1 },
    ]);
    const bins = { measure: 'confidence', edges: [[0.5], [0.9]] } as const;
    const cut = referenceOf(table, entropy(0.5), { exits: [2], bins });
    expect(cut.exits[0]).toEqual({ labels: [0, 0, 0, 0], scores: [0, 0], notFinite: 0 });
    expect(cut.exits[1]).toEqual({ labels: [1, 2, 1, 0], scores: [2, 2], notFinite: 1 });
    expect(() => referenceOf(table, entropy(0.5), { bins: 1 })).toThrow('referenceOf: expected 2 bins or more, got 1');
  });

  it('looks at what the criterion looks at', () => {
    const criteria = [confidence(0.9), minDepth(2, entropy(0.1)), normalizedEntropy(0.1), patience(2)];
    expect(criteria.map(measureOf)).toEqual(['confidence', 'entropy', 'entropy', 'confidence']);
    const { edges } = halvingBins('entropy', { exits: 2, classes: 4 });
    expect(edges[1]!.at(-1)).toBeCloseTo(Math.log(2), 12);
    expect(edges[0]).toHaveLength(14);
  });
});

describe('export', () => {
  it('to prom-client, anew at each scrape', async () => {
    const monitor = new Monitor(reference);
    const registry = new client.Registry();
    registerMetrics(client, registry, { monitor });
    const random = new Random(5);
    for (const samples of [100, 1900]) {
      monitor.add(mixed(random, samples));
      const text = await registry.metrics();
      monitor.left.forEach((count, index) => {
        expect(text).toContain(`exitgpu_samples_total{exit="${index + 1}"} ${count}\n`);
      });
      expect(text).toContain(`exitgpu_alarms_total{detector="exits"} ${monitor.given.exits}\n`);
      expect(text).toContain('# TYPE exitgpu_samples_total counter\n');
      expect(text).toContain('exitgpu_fallen_back 0\n');
    }
    expect(monitor.given.exits).toBe(1);
  });

  it('as lines of JSON', () => {
    const histograms: ExitHistogram[] = mixed(new Random(6), 2000);
    const alarms = new Monitor(reference).add(histograms);
    const line = readingLine(histograms, alarms, new Date(0));
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const read = JSON.parse(line) as { time: string; exits: { labels: number[] }[]; alarms: Alarm[] };
    expect(read.time).toBe('1970-01-01T00:00:00.000Z');
    expect(read.exits[1]!.labels).toEqual([...histograms[1]!.labels]);
    expect(read.alarms.map(({ detector }) => detector)).toEqual(alarms.map(({ detector }) => detector));
  });
});
