import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bLeNet, proceduralDigits, serializeSafetensors } from '../../src/index.ts';
import type { Dataset } from '../../src/index.ts';
import { layerToJson } from '../../src/nn/layer-json.ts';
import { fromFloat32 } from '../../src/nn/safetensors.ts';
import { idx } from '../data/idx-bytes.ts';

/** A B-LeNet as a file, all weights zero, without a GPU. */
export function blankModel(): Uint8Array {
  const { name, input, classes, stages, parameters } = bLeNet();
  const details = {
    formatVersion: 1,
    architecture: {
      name,
      input,
      classes,
      stages: stages.map(({ body, exit }) => ({ body: body.map(layerToJson), exit: exit.map(layerToJson) })),
    },
    normalization: { mean: [0.13], std: [0.31] },
    classNames: Array.from({ length: classes }, (_, label) => String(label)),
  };
  const tensors = Object.entries(parameters).map(([parameter, { shape }]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return [parameter, fromFloat32(new Float32Array(size), shape)] as const;
  });
  return serializeSafetensors({ metadata: { exitgpu: JSON.stringify(details) }, tensors: new Map(tensors) });
}

const images = ({ labels: { length }, shape: [, height, width], images: pixels }: Dataset) =>
  idx([length, height, width], pixels);
const labels = (dataset: Dataset) => idx([dataset.labels.length], dataset.labels);

/** The four files of a small data set of easy digits, of which a test may replace some. */
export function idxFiles(counts: { train: number; test: number }): Record<string, Uint8Array> {
  const train = proceduralDigits({ count: counts.train, seed: 11, difficulty: 0 });
  const test = proceduralDigits({ count: counts.test, seed: 12, difficulty: 0 });
  return {
    'train-images-idx3-ubyte': images(train),
    'train-labels-idx1-ubyte': labels(train),
    't10k-images-idx3-ubyte': images(test),
    't10k-labels-idx1-ubyte': labels(test),
  };
}

/** Writes files into a folder and returns its path. */
export async function writeFolder(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  return folder;
}
