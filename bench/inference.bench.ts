import { Recording } from '../src/device/recording.ts';
import type { Device } from '../src/device/device.ts';
import { proceduralDigits } from '../src/data/procedural-digits.ts';
import type { Classifier } from '../src/earlyexit/classifier.ts';
import { entropy } from '../src/earlyexit/criteria.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

type Launch = Parameters<Recording['dispatch']>;

/** The dispatches of one call, segment by segment, as the classifier makes them. */
async function capture(classifier: Classifier, x: Float32Array): Promise<Launch[][]> {
  const segments: Launch[][] = [];
  const { dispatch, submit } = Recording.prototype;
  let launches: Launch[] = [];
  Recording.prototype.dispatch = function (...launch) {
    launches.push(launch);
    dispatch.apply(this, launch);
  };
  Recording.prototype.submit = function () {
    segments.push(launches);
    launches = [];
    submit.call(this);
  };
  await classifier.classifyBatch(x);
  Object.assign(Recording.prototype, { dispatch, submit });
  return segments;
}

/** The same dispatches by plain WebGPU calls: no library, one encoder, one map of 4 bytes per segment. */
function bare({ gpu }: Device, segments: Launch[][], x: Float32Array): () => Promise<void> {
  const input = gpu.createBuffer({ size: x.byteLength, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.STORAGE });
  const word = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.STORAGE });
  const staging = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  return async () => {
    gpu.queue.writeBuffer(input, 0, x as Float32Array<ArrayBuffer>);
    for (const launches of segments) {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const [pipeline, group, columns, rows, layers] of launches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(columns, rows, layers);
      }
      pass.end();
      encoder.copyBufferToBuffer(word, 0, staging, 0, 4);
      gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ, 0, 4);
      staging.getMappedRange(0, 4).slice(0);
      staging.unmap();
    }
  };
}

await bench(
  'inference',
  'What does B-LeNet cost by exit, against the network without exits and against bare WebGPU calls of the same ' +
    'dispatches?',
  async function* (device) {
    using model = Model.initialize(device, bLeNet(), { seed: 1 });
    for (const batch of [1, 64]) {
      const x = model.normalize(proceduralDigits({ count: batch, seed: 1 }).images);
      const ways = [
        ['without exits', { exits: [2] }],
        ['all leave at exit 1', { criterion: entropy(Math.log(10)) }],
        ['all leave at exit 2', { criterion: entropy(0) }],
      ] as const;
      const cases: Case[] = [];
      const classifiers: Classifier[] = [];
      for (const [way, options] of ways) {
        const classifier = await model.compile({ ...options, batch });
        classifiers.push(classifier);
        const segments = await capture(classifier, x);
        const facts = { dispatches: segments.flat().length, submits: segments.length };
        cases.push({ name: `batch ${batch}, ${way}`, items: batch, facts, run: () => classifier.classifyBatch(x) });
        cases.push({ name: `  bare calls, ${way}`, items: batch, run: bare(device, segments, x) });
      }
      yield cases;
      for (const classifier of classifiers) classifier.dispose();
    }
  },
);
