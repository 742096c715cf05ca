import type { Device } from '../device/device.ts';
import { ArgumentError, GpuError } from '../errors.ts';
import { librarySources } from '../kernels/generated/exit-sources.ts';
import type { Struct } from '../kernels/kernel.ts';
import { loadToolchain } from './toolchain.ts';
import type { Toolchain } from './toolchain.ts';
import type { LinkedKernel, Linker, Source } from './toolchain/kernel.d.mts';

/** Those about how this project writes its own kernels. What is bound is checked by name, see `exit-kernel.ts`. */
const HOUSE_RULES = ['opensWithComment', 'bindingsInOrder', 'lintableLoops'];

/**
 * Runs `work` with the linker's packages.
 * @throws ArgumentError for what is wrong with the text, a line `criterion:LINE: what` for each
 */
export async function withToolchain<T>(work: (toolchain: Toolchain) => T): Promise<Awaited<T>> {
  const toolchain = await loadToolchain();
  try {
    return await toolchain.quietly(() => work(toolchain));
  } catch (error) {
    if (!(error instanceof toolchain.KernelError)) throw error;
    // Where names clash the linker numbers them.
    throw new ArgumentError(error.message.replace(/\bParams\d+\b/g, 'Params'), { cause: error });
  }
}

/** Where imports from `package::lib` lead; `others` are found first, by their whole path. */
export const createTextLinker = (toolchain: Toolchain, others: Readonly<Record<string, Source>> = {}): Linker =>
  toolchain.createLinker((modulePath) => {
    const [, folder, name = ''] = modulePath.split('::');
    return others[modulePath] ?? (folder === 'lib' ? librarySource(name.replaceAll('_', '-')) : undefined);
  });

export function librarySource(name: string): Source | undefined {
  const text = librarySources[name];
  return text === undefined ? undefined : { path: `lib/${name}.wgsl`, text };
}

/** `name`: as labels and the messages of the device show it. */
export function linkText(
  toolchain: Toolchain,
  linker: Linker,
  source: Source,
  name: string,
  conditions: Readonly<Record<string, boolean>> = {},
): LinkedKernel {
  const kernel = toolchain.linkKernel(linker, source, { name, conditions, except: HOUSE_RULES });
  // Not minified: what the device says of a line can be traced to the text.
  return { ...kernel, code: kernel.wgsl };
}

/**
 * The layout of the struct that a kernel binds as `criterion`, under a name that says where it is declared: what is
 * wrong with a value is told by the line of the text.
 */
export function paramsOf(kernel: LinkedKernel, placeOf: (struct: string) => string): Struct | undefined {
  const binding = kernel.storage.find(({ name }) => name === 'criterion');
  const struct = binding && kernel.structs.find(({ name }) => name === binding.element);
  if (!struct) return undefined;
  const name = struct.name.replace(/^Params\d+$/, 'Params');
  return { ...struct, name: `${placeOf(name)}: ${name}` };
}

/**
 * What the compiler of a device says of a kernel, asked once per device.
 * @returns a function that throws GpuError, a line `criterion:LINE: what` for each error
 */
export function compilerCheck(kernel: LinkedKernel): (device: Device) => Promise<void> {
  const asked = new WeakMap<Device, Promise<void>>();
  return (device) => {
    const answer = asked.get(device) ?? askCompiler(device, kernel);
    asked.set(device, answer);
    // A device may be asked again: what failed need not be the kernel.
    answer.catch(() => asked.delete(device));
    return answer;
  };
}

async function askCompiler(device: Device, { name, code, locate }: LinkedKernel): Promise<void> {
  device.check();
  const { gpu } = device;
  // The scope keeps the error, which is ours to tell, from being reported to the page.
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label: name, code });
  const [error, { messages }] = await Promise.all([gpu.popErrorScope(), module.getCompilationInfo()]);
  device.check();
  const wrong = messages.filter(({ type }) => type === 'error');
  const lines = wrong.map(({ message, offset }) => `${locate({ start: offset })}: ${message.split('\n')[0]}`);
  if (lines.length > 0) throw new GpuError(lines.join('\n'));
  if (error) throw new GpuError(`${name}: ${error.message}`);
}
