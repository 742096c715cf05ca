import { loadModel, readModelFile, tuneModel } from '../../node.ts';
import type { Device } from '../../node.ts';
import { bytes, significant, whole } from '../../report/format.ts';
import { modelText, parameterCount, partCosts } from '../../report/model.ts';
import { list } from '../../report/table.ts';
import { tunedText } from '../../report/tuned.ts';
import { adapterFlag, measurements, openDevice } from '../device.ts';
import { measureDevice } from '../device-costs.ts';
import { readBytes } from '../files.ts';
import { flag, integer, toggle } from '../flags.ts';
import { UsageError } from '../usage-error.ts';
import { defineVerb } from '../verb.ts';
import type { Outcome } from '../verb.ts';
import { versions } from '../versions.ts';

export const doctorVerb = defineVerb({
  name: 'doctor',
  inputs: '[file]',
  summary: 'Show what computes here and what it costs; or, with a model file, what is in it',
  flags: {
    tune: toggle("Of a model: measure the kernels' variants at its shapes, and keep what is fastest for later calls"),
    batch: flag(integer(1, 4096), {
      placeholder: 'n',
      help: 'Of --tune: samples that go through together',
      fallback: '64',
    }),
    adapter: adapterFlag,
  },
  async run([file], flags) {
    if (file !== undefined) return flags.tune ? tuneFor(file, flags) : describeModel(file);
    if (flags.tune) throw new UsageError('--tune: expected a model file, whose shapes are measured, got none');
    using device = await openDevice(flags.adapter);
    return await describeDevice(device);
  },
});

async function describeModel(file: string): Promise<Outcome> {
  const { network, details } = readModelFile(await readBytes(file, 'a model file'), file);
  const json = { ...details, macs: network.macs, parameters: parameterCount(network), parts: partCosts(network) };
  return { text: modelText(network, details), json };
}

/** For inference and for training. */
async function tuneFor(
  file: string,
  { adapter, batch }: { adapter: string | undefined; batch: number },
): Promise<Outcome> {
  const bytes = await readBytes(file, 'a model file');
  using device = await openDevice(adapter);
  using model = loadModel(device, bytes, file);
  const known = new Map(device.fastest);
  const tuned = await tuneModel(model, { batch, training: true, store: measurements() });
  return { text: tunedText(tuned, known), json: { adapter: device.name, batch, tuned } };
}

async function describeDevice(device: Device): Promise<Outcome> {
  const { vendor, architecture, device: model, description, isFallbackAdapter } = device.info;
  const limits = Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]])) as Record<Limit, number>;
  const features = [...device.features].sort();
  const costs = await measureDevice(device);
  const software = versions();
  const { p50, p95, p99 } = costs.readMs;
  const text = list([
    ['adapter', device.name + (isFallbackAdapter ? ', software: computes on the CPU' : '')],
    ['features', features.join(', ')],
    ['limits', limitsText(limits)],
    ['read', `${significant(p50)} ms for 4 bytes there and back (p95 ${significant(p95)}, p99 ${significant(p99)})`],
    ['dispatch', `${significant(costs.dispatchUs)} us for one more in the same submit`],
    ['versions', `exitgpu ${software.exitgpu}, webgpu ${software.webgpu} (Dawn), Node ${software.node}`],
  ]);
  const info = { vendor, architecture, device: model, description, isFallbackAdapter };
  return { text, json: { adapter: device.name, info, features, limits, ...costs, versions: software } };
}

/** Those that decide how large a network may be, and how its kernels are cut. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;
type Limit = (typeof LIMITS)[number];

const limitsText = (limits: Readonly<Record<Limit, number>>): string =>
  [
    `buffer ${bytes(limits.maxBufferSize)}`,
    `binding ${bytes(limits.maxStorageBufferBindingSize)}`,
    `${limits.maxStorageBuffersPerShaderStage} storage buffers per kernel`,
    `workgroup of ${limits.maxComputeInvocationsPerWorkgroup} with ${bytes(limits.maxComputeWorkgroupStorageSize)}`,
    `grid ${whole(limits.maxComputeWorkgroupsPerDimension)} wide`,
  ].join(', ');
