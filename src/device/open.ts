import { ArgumentError, NoAdapterError } from '../errors.ts';
import { Device } from './device.ts';

export interface OpenOptions {
  /**
   * A device that the page already has; the caller keeps owning it. Errors of the page's own WebGPU calls are reported
   * too.
   */
  device?: GPUDevice;
  /** Where adapters come from; `navigator.gpu` or Dawn if left out. */
  gpu?: GPU;
  powerPreference?: GPUPowerPreference;
}

/** Features that speed something up or measure it; asked for where the adapter has them. */
const WANTED: GPUFeatureName[] = ['shader-f16', 'timestamp-query', 'subgroups'];

/**
 * Limits worth raising from the defaults to what the adapter has: sizes of tensors, and storage bindings of a kernel.
 */
const RAISED = ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage'] as const;

/**
 * Opens a device.
 * @throws NoAdapterError if there is no WebGPU or no adapter, with the ways to get one
 */
export async function open(options: OpenOptions = {}): Promise<Device> {
  if (options.device) {
    const { device } = options;
    if (typeof device.createBuffer !== 'function') {
      throw new ArgumentError('open: expected options.device to be a GPUDevice; leave it out to have one made');
    }
    return new Device(device, device.adapterInfo, false);
  }
  const gpu = options.gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    throw new NoAdapterError(
      'open: this JavaScript environment has no WebGPU (navigator.gpu). In a browser: use a current Chrome, Edge, ' +
        'Safari or Firefox on https:// or localhost. In Node: npm install webgpu and import exitgpu as usual. ' +
        'While a server renders the page: call open() in the browser only.',
    );
  }
  const { powerPreference } = options;
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {});
  if (!adapter) {
    throw new NoAdapterError(
      'open: WebGPU is here but found no adapter. In a browser: look at chrome://gpu, enable hardware acceleration. ' +
        'On Linux: install a Vulkan driver for the GPU, or Mesa >= 24 for lavapipe (mesa-vulkan-drivers), ' +
        'or set VK_ICD_FILENAMES to a driver file.',
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const limit of RAISED) requiredLimits[limit] = adapter.limits[limit];
  const device = await adapter.requestDevice({
    label: 'exitgpu',
    requiredFeatures: WANTED.filter((feature) => adapter.features.has(feature)),
    requiredLimits,
  });
  return new Device(device, adapter.info, true);
}
