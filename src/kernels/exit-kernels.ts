import type { Device } from '../device/device.ts';
import type { Kernel, Struct } from './kernel.ts';

/** Kernels in place of those of the exit check, as `exitgpu/custom` links them. */
export interface ExitKernels {
  /** The layout of the parameters that the host sets at each exit, where the kernels read any. */
  readonly params?: Struct;
  /** They decide by the built-in criteria. */
  readonly builtIn: boolean;
  /** By the name of the kernel that each takes the place of, with another criterion linked in. */
  readonly linked?: Readonly<Record<string, Kernel>>;
  /** In place of all kernels that check: one for every shape, and how many rows a workgroup of it takes. */
  readonly whole?: {
    readonly kernel: Kernel<string, { readonly classes: number }, undefined>;
    readonly rowsPerWorkgroup: number;
  };
  /** @throws GpuError with what the device's compiler says and the line of the source, DeviceLostError */
  check(device: Device): Promise<void>;
}
