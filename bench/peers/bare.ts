import * as kernels from './bare-kernels.ts';
import type { WorkOf } from './cases.ts';
import { isWeighted, shapeAfter, sizeOf, stagesOf, thresholdFor, trunkOf } from './network.ts';
import type { Layer, Shape } from './network.ts';
import { answering, countErrors, describeAdapter, firstSure, reading, Unsupported } from './peer.ts';
import type { Peer, Prepared } from './peer.ts';

const TINY_BYTES = 16;
/** Entropy, margin, label, nothing. */
const SCORE_FLOATS = 4;

interface Launch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
}

/**
 * WebGPU calls and WGSL by hand, without a library: a floor for what a library's host side costs, and none for kernels,
 * which are plain.
 */
export async function open(gpu: GPU): Promise<Peer> {
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Unsupported('no adapter');
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  const errors = countErrors(device);
  return {
    adapter: describeAdapter(adapter.info),
    get errors() {
      return errors.count;
    },
    async prepare(work) {
      const bare = new Bare(device);
      switch (work.kind) {
        case 'matmul': {
          const [a, b] = [bare.upload(work.a), bare.upload(work.b)];
          const y = bare.buffer(work.m * work.n);
          const sizes = { M: work.m, N4: work.n / 4, K: work.k };
          const grid = [Math.ceil(work.n / 32), Math.ceil(work.m / 32)] as const;
          return bare.operation([bare.launch(kernels.matmul, sizes, [a, b, y], grid)], y);
        }
        case 'conv': {
          const [launches, y] = bare.layers([work.layer], work.input, work.batch, bare.upload(work.x));
          return bare.operation(launches, y);
        }
        case 'softmax': {
          const y = bare.buffer(work.x.length);
          const sizes = { CLASSES: work.classes, ROWS: work.rows };
          return bare.operation([bare.launch(kernels.softmax, sizes, [bare.upload(work.x), y], [work.rows / 8, 1])], y);
        }
        case 'scores':
          return scores(bare, work);
        case 'infer':
          return infer(bare, work);
        case 'read': {
          const y = bare.buffer(work.x.length);
          return bare.operation([bare.launch(kernels.negate, {}, [bare.upload(work.x), y], [1, 1])], y);
        }
        case 'exits':
          return exits(bare, work);
        case 'train':
        case 'gated':
          throw new Unsupported('not written by hand');
      }
    },
  };
}

/** Buffers and launches of a case. */
class Bare {
  readonly device: GPUDevice;
  #buffers: GPUBuffer[] = [];
  #staging = new Map<number, GPUBuffer>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  buffer(floats: number): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = this.device.createBuffer({ size: Math.max(TINY_BYTES, floats * 4), usage });
    this.#buffers.push(buffer);
    return buffer;
  }

  upload(data: Float32Array): GPUBuffer {
    const buffer = this.buffer(data.length);
    this.write(buffer, data);
    return buffer;
  }

  write(buffer: GPUBuffer, data: Float32Array): void {
    this.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
  }

  launch(
    code: string,
    constants: Record<string, number>,
    buffers: readonly GPUBuffer[],
    grid: readonly [number, number],
  ): Launch {
    const module = this.device.createShaderModule({ code });
    const pipeline = this.device.createComputePipeline({ layout: 'auto', compute: { module, constants } });
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, group, grid };
  }

  /** One submit, one map. */
  async run(launches: readonly Launch[], result: GPUBuffer, bytes: number): Promise<Float32Array> {
    const { device } = this;
    const staging = this.#staged(bytes);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, grid } of launches) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
    }
    pass.end();
    encoder.copyBufferToBuffer(result, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const values = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
    staging.unmap();
    return values;
  }

  operation(launches: readonly Launch[], y: GPUBuffer): Prepared {
    return {
      run: () => this.run(launches, y, TINY_BYTES),
      results: async () => ({ y: await this.run(launches, y, y.size) }),
      dispose: () => this.dispose(),
    };
  }

  /** The launches of layers, and where the last leaves its result. */
  layers(layers: readonly Layer[], input: Shape, rows: number, x: GPUBuffer): [Launch[], GPUBuffer, Shape] {
    const launches: Launch[] = [];
    let shape = input;
    for (const layer of layers) {
      const next = shapeAfter(layer, shape);
      if (layer.type !== 'flatten') {
        const y = this.buffer(rows * sizeOf(next));
        launches.push(this.#layer(layer, shape, next, rows, x, y));
        x = y;
      }
      shape = next;
    }
    return [launches, x, shape];
  }

  /** The launch that scores rows of logits. */
  score(logits: GPUBuffer, rows: number, classes: number): [Launch, GPUBuffer] {
    const y = this.buffer(SCORE_FLOATS * rows);
    const lanes = rows < 64 && classes > 64 ? 64 : 1;
    const sizes = { CLASSES: classes, ROWS: rows, LANES: lanes };
    return [this.launch(kernels.scores, sizes, [logits, y], [Math.ceil((rows * lanes) / 64), 1]), y];
  }

  dispose(): void {
    for (const buffer of [...this.#buffers, ...this.#staging.values()]) buffer.destroy();
  }

  #layer(
    layer: Exclude<Layer, { type: 'flatten' }>,
    shape: Shape,
    next: Shape,
    rows: number,
    x: GPUBuffer,
    y: GPUBuffer,
  ): Launch {
    const [, HEIGHT, WIDTH] = shape as [number, number, number];
    const [, OUT_HEIGHT, OUT_WIDTH] = next as [number, number, number];
    const COUNT = rows * sizeOf(next);
    const grid = [Math.ceil(COUNT / 64), 1] as const;
    const planes = { HEIGHT, WIDTH, OUT_HEIGHT, OUT_WIDTH };
    if (layer.type === 'maxPool') return this.launch(kernels.maxPool, { COUNT, ...planes }, [x, y], grid);
    if (!isWeighted(layer)) return this.launch(kernels.planeMean, { COUNT, SIZE: HEIGHT * WIDTH }, [x, y], grid);
    const bound = [x, this.upload(layer.weight), this.upload(layer.bias), y];
    const weighted = { IN: layer.input, OUT: layer.output, RELU: Number(layer.relu) };
    if (layer.type === 'linear') return this.launch(kernels.linear, { COUNT, ...weighted }, bound, grid);
    const window = { KERNEL: layer.kernel, STRIDE: layer.stride, PADDING: layer.padding };
    const quads = rows * OUT_HEIGHT * Math.ceil(OUT_WIDTH / 4);
    const constants = { ...planes, ...weighted, ...window, ROWS: rows };
    return this.launch(kernels.conv, constants, bound, [Math.ceil(quads / 64), Math.ceil(layer.output / 4)]);
  }

  #staged(size: number): GPUBuffer {
    let staging = this.#staging.get(size);
    if (!staging) {
      staging = this.device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
      this.#staging.set(size, staging);
    }
    return staging;
  }
}

function scores(bare: Bare, { rows, classes, x }: WorkOf<'scores'>): Prepared {
  const [launch, y] = bare.score(bare.upload(x), rows, classes);
  return {
    run: () => bare.run([launch], y, TINY_BYTES),
    async results() {
      const all = await bare.run([launch], y, y.size);
      const column = (at: number): Float32Array => all.filter((_, index) => index % SCORE_FLOATS === at);
      return { entropy: column(0), margin: column(1), label: column(2) };
    },
    dispose: () => bare.dispose(),
  };
}

function infer(bare: Bare, { network, batch, x }: WorkOf<'infer'>): Prepared {
  const input = bare.buffer(x.length);
  const [launches, y] = bare.layers(trunkOf(network), network.input, batch, input);
  const run = (): Promise<Float32Array> => {
    bare.write(input, x);
    return bare.run(launches, y, y.size);
  };
  return reading('logits', run, () => bare.dispose());
}

/** Stage by stage, one submit each; the host decides between them. */
function exits(bare: Bare, { network, checks, leavesAt, x }: WorkOf<'exits'>): Prepared {
  const input = bare.buffer(x.length);
  let [value, shape] = [input, network.input];
  const stages = stagesOf(network, checks).map(({ body, exit }) => {
    const [trunk, crossing, behind] = bare.layers(body, shape, 1, value);
    const [head, logits, [classes]] = bare.layers(exit, behind, 1, crossing);
    const [check, answer] = bare.score(logits, 1, classes!);
    [value, shape] = [crossing, behind];
    return { launches: [...trunk, ...head, check], answer };
  });
  const threshold = thresholdFor(network, leavesAt);
  const run = (): Promise<Float32Array> => {
    bare.write(input, x);
    return firstSure(stages, threshold, ({ launches, answer }) => bare.run(launches, answer, TINY_BYTES));
  };
  return answering(run, () => bare.dispose());
}
