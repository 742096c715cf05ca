import { DETECTORS } from './monitor.ts';
import type { Monitor } from './monitor.ts';

type Labels = Readonly<Record<string, string>>;

/** What a metric of `prom-client` is made of. */
interface Configuration<Metric, Registry> {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
  collect: (this: Metric) => void;
}
interface Counter {
  reset(): void;
  inc(labels: Labels, value: number): void;
}
interface Gauge {
  set(labels: Labels, value: number): void;
}

/** As much of the module `prom-client` as is needed: it is no dependency. */
export interface PromClient<Registry> {
  readonly Counter: new (configuration: Configuration<Counter, Registry>) => unknown;
  readonly Gauge: new (configuration: Configuration<Gauge, Registry>) => unknown;
}

/** Of a supervisor too: its monitor is another after recalibration, when counters start anew. */
export interface Monitored {
  readonly monitor: Monitor;
  readonly fallenBack?: boolean;
}

/**
 * Registers what a monitor knows with a registry of `prom-client`, which asks for it at each scrape:
 * `exitgpu_samples_total` by exit, `exitgpu_alarms_total` by detector, `exitgpu_reference_share` by exit,
 * `exitgpu_exit_evidence_nats` with `exitgpu_exit_evidence_threshold_nats`, and `exitgpu_fallen_back`, 1 or 0.
 *
 * `registerMetrics(promClient, registry, supervisor)`; of a monitor alone `{ monitor }`.
 */
export function registerMetrics<Registry>(
  client: PromClient<Registry>,
  registry: Registry,
  watched: Monitored,
): void {
  const registers = [registry];
  const counter = (name: string, help: string, label: string, values: () => [string, number][]): void => {
    new client.Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [of, value] of values()) this.inc({ [label]: of }, value);
      },
    });
  };
  const gauge = (name: string, help: string, values: () => [Labels, number][], labelNames: string[] = []): void => {
    new client.Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const [labels, value] of values()) this.set(labels, value);
      },
    });
  };
  const byExit = (values: readonly number[]): [string, number][] =>
    values.map((value, index) => [String(index + 1), value]);
  counter('exitgpu_samples_total', 'Samples that left, by exit', 'exit', () => byExit(watched.monitor.left));
  counter('exitgpu_alarms_total', 'Alarms given, by detector', 'detector', () =>
    DETECTORS.map((detector) => [detector, watched.monitor.given[detector]]));
  const shares = (): [Labels, number][] =>
    byExit(watched.monitor.referenceShares).map(([exit, share]) => [{ exit }, share]);
  gauge('exitgpu_reference_share', 'Share of samples that leaves in order, by exit', shares, ['exit']);
  const one = (value: number): [Labels, number][] => [[{}, value]];
  gauge('exitgpu_exit_evidence_nats', 'Evidence that the shares of exits have moved', () =>
    one(watched.monitor.exitEvidence.sum));
  gauge('exitgpu_exit_evidence_threshold_nats', 'Evidence that gives an alarm', () =>
    one(watched.monitor.exitEvidence.threshold));
  gauge('exitgpu_fallen_back', '1 after an alarm, until recalibrated', () => one(Number(watched.fallenBack ?? false)));
}
