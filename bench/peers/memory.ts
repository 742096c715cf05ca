/** The most bytes that `body` held at a time in buffers of WebGPU that it made. */
export async function peakBuffers<T>(body: () => Promise<T>): Promise<{ value: T; peakBytes: number }> {
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const sizes = new WeakMap<GPUBuffer, number>();
  let [live, peakBytes] = [0, 0];
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    sizes.set(buffer, descriptor.size);
    live += descriptor.size;
    peakBytes = Math.max(peakBytes, live);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    live -= sizes.get(this) ?? 0;
    sizes.delete(this);
    return destroy.call(this);
  };
  try {
    const value = await body();
    return { value, peakBytes };
  } finally {
    Object.assign(GPUDevice.prototype, { createBuffer });
    Object.assign(GPUBuffer.prototype, { destroy });
  }
}
