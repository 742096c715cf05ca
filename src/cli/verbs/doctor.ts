import { readModelFile } from '../../node.ts';
import type { Device } from '../../node.ts';
import { bytes, significant } from '../../report/format.ts';
import { modelText, parameterCount } from '../../report/model.ts';
import { list } from '../../report/table.ts';
import { adapterFlag, openDevice } from '../device.ts';
import { measureDevice } from '../device-costs.ts';
import { readBytes } from '../files.ts';
import { defineVerb } from '../verb.ts';
import type { Outcome } from '../verb.ts';
import { versions } from '../versions.ts';

export const doctorVerb = defineVerb({
  name: 'doctor',
  inputs: '[file]',
  summary: 'Show what computes here and what it costs; or, with a model file, what is in it',
  flags: { adapter: adapterFlag },
  async run([file], flags) {
    if (file !== undefined) return describeModel(file);
    using device = await openDevice(flags.adapter);
    return await describeDevice(device);
  },
});

async function describeModel(file: string): Promise<Outcome> {
  const { network, details } = readModelFile(await readBytes(file, 'a model file'), file);
  return { text: modelText(network, details), json: { ...details, macs: network.macs, parameters: parameterCount(network) } };
}

async function describeDevice(device: Device): Promise<Outcome> {
  const { vendor, architecture, device: model, description, isFallbackAdapter } = device.info;
  const { limits } = device;
  const shown = {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
  const features = [...device.features].sort();
  const costs = await measureDevice(device);
  const software = versions();
  const text = list([
    ['adapter', device.name + (isFallbackAdapter ? ', software: computes on the CPU' : '')],
    ['features', features.join(', ') || 'none beyond the core'],
    [
      'limits',
      `buffer ${bytes(shown.maxBufferSize)}, binding ${bytes(shown.maxStorageBufferBindingSize)}, ` +
        `${shown.maxStorageBuffersPerShaderStage} storage buffers per kernel, workgroup of ${shown.maxComputeInvocationsPerWorkgroup} ` +
        `with ${bytes(shown.maxComputeWorkgroupStorageSize)}, grid ${shown.maxComputeWorkgroupsPerDimension} wide`,
    ],
    ['read', `${significant(costs.readMs.p50)} ms for 4 bytes there and back (p95 ${significant(costs.readMs.p95)}, p99 ${significant(costs.readMs.p99)})`],
    ['dispatch', `${significant(costs.dispatchUs)} us for one more in the same submit`],
    ['versions', `exitgpu ${software.exitgpu}, webgpu ${software.webgpu} (Dawn), Node ${software.node}`],
  ]);
  return {
    text,
    json: {
      adapter: device.name,
      info: { vendor, architecture, device: model, description, isFallbackAdapter },
      features,
      limits: shown,
      ...costs,
      versions: software,
    },
  };
}
