import type { Device } from '../device/device.ts';
import { exitHistogram } from '../kernels/exit-histogram.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Criterion } from './criteria.ts';
import type { Model } from './model.ts';
import { checkBins, halvingBins, measureOf } from './monitor/histograms.ts';
import type { ExitHistogram, ScoreBins } from './monitor/histograms.ts';

/** In place of the edges that an exit has fewer of than others: above any score. */
const BEYOND = 3e38;

/** @throws ArgumentError for bins that are none, or not of this network */
export function exitCounters({ device, network }: Model, monitor: ScoreBins | true, criterion: Criterion): ExitCounters {
  const { classes, stages: { length: exits } } = network;
  const bins = monitor === true ? halvingBins(measureOf(criterion), { exits, classes }) : monitor;
  checkBins('compile', bins, exits);
  return new ExitCounters(device, classes, bins);
}

/**
 * Histograms of the samples that leave, in GPU memory: one for all programs of a classifier, which count into it one
 * after the other. The memory is there as long as any of them holds on to it.
 */
export class ExitCounters {
  readonly #device: Device;
  readonly #classes: number;
  readonly #bins: ScoreBins;
  #holders = 0;
  #memory: { readonly edges: Tensor; readonly histograms: Tensor } | undefined;

  /** The bins are checked ones. */
  constructor(device: Device, classes: number, bins: ScoreBins) {
    this.#device = device;
    this.#classes = classes;
    this.#bins = bins;
  }

  hold(): void {
    this.#holders++;
    if (this.#memory) return;
    const { edges } = this.#bins;
    const padded = edges.flatMap((list) => Array.from({ length: this.#between }, (_, index) => list[index] ?? BEYOND));
    const shape = [edges.length, this.#words];
    this.#memory = {
      edges: Tensor.from(this.#device, Float32Array.from(padded), [edges.length, this.#between], 'score edges'),
      histograms: Tensor.zeros(this.#device, { dtype: 'u32', shape }, 'exit histograms'),
    };
  }

  letGo(): void {
    if (--this.#holders > 0) return;
    for (const tensor of Object.values(this.#memory ?? {})) tensor.dispose();
    this.#memory = undefined;
  }

  /** In a trace: adds the rows that have left since they were last counted. */
  count(records: Tensor): void {
    exitHistogram({ records, ...this.#memory! }, { classes: this.#classes, measure: this.#bins.measure });
  }

  /** What was counted by the work submitted so far, since it was last taken. @throws DeviceLostError, GpuError */
  async take(): Promise<ExitHistogram[]> {
    const { buffer, offset, byteLength } = this.#memory!.histograms;
    const recording = this.#device.record('exit histograms');
    const pending = recording.read({ buffer, offset, size: byteLength });
    recording.submit();
    this.#device.write(buffer, offset, new Uint8Array(byteLength));
    return this.#decode(new Uint32Array(await pending()));
  }

  #decode(words: Uint32Array): ExitHistogram[] {
    return this.#bins.edges.map((edges, index) => {
      const start = index * this.#words;
      const scores = start + this.#classes;
      const labels = words.slice(start, scores);
      const notFinite = words[start + this.#words - 1]!;
      return {
        exit: index + 1,
        count: labels.reduce((sum, count) => sum + count, notFinite),
        labels,
        scores: words.slice(scores, scores + edges.length + 1),
        notFinite,
      };
    });
  }

  /** Edges of the exit that has most. */
  get #between(): number {
    return Math.max(...this.#bins.edges.map(({ length }) => length));
  }

  /** Of one exit: labels, scores, and samples that were not finite. */
  get #words(): number {
    return this.#classes + this.#between + 2;
  }
}
