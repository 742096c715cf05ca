import type { Operand } from '../../kernels/define.ts';
import { rangeNumbers } from '../../kernels/range.ts';
import * as ops from '../../kernels/registry.ts';
import { sizeOf } from '../../tensor/spec.ts';
import { deviceDtype, fromFirst, known, lengthOf } from '../node.ts';
import type { Mappings, NodeReader, OnnxValue } from '../node.ts';

/** The same elements under another shape: known where they were. */
const viewed = (n: NodeReader, value: Operand): OnnxValue => ({ ...n.input(0), value });

function reshape(n: NodeReader): OnnxValue {
  const x = n.at(0);
  const keepsZeros = n.flag('allowzero');
  const asked = n.numbersOf('shape', 1)!.map((length, axis) => (length === 0 && !keepsZeros ? x.shape[axis]! : length));
  const others = sizeOf(asked.filter((length) => length !== -1));
  const shape = asked.map((length) => (length === -1 ? lengthOf(x) / others : length));
  return viewed(n, ops.reshape({ x }, { shape }));
}

function squeeze(n: NodeReader): OnnxValue {
  const axes = n.numbersOf('axes', 1);
  return viewed(n, ops.squeeze({ x: n.at(0) }, axes ? { axes } : {}));
}

function unsqueeze(n: NodeReader): OnnxValue {
  return viewed(n, ops.unsqueeze({ x: n.at(0) }, { axes: n.numbersOf('axes', 1)! }));
}

/** Bounds beyond the ends count as the ends. */
function slice(n: NodeReader): OnnxValue {
  const [starts, ends] = [n.numbersOf('starts', 1)!, n.numbersOf('ends', 2)!];
  const axes = n.numbersOf('axes', 3) ?? starts.map((_, index) => index);
  const steps = n.has(4) ? n.numbers(4) : starts.map(() => 1);
  let x = n.at(0);
  for (const [index, given] of axes.entries()) {
    const axis = fromFirst(given, x.shape.length);
    const length = x.shape[axis]!;
    const step = steps[index]!;
    const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
    const within = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, least), most);
    const [start, end] = [within(starts[index]!), within(ends[index]!)];
    if (start === 0 && end === length && step === 1) continue;
    if ((end - start) / step <= 0) n.reject('results without elements are not built');
    x = ops.slice({ x }, { axis, start, step, ...(end >= 0 && { end }) });
  }
  return n.like(0, x);
}

function split(n: NodeReader): OnnxValue[] {
  const axis = n.number('axis', 0);
  const parts = n.numbersOf('split', 1) ?? n.outputs;
  return ops.split({ x: n.at(0) }, { axis, parts }).map((part) => n.like(0, part));
}

/** Numbers before and after each axis, `[before.., after..]` of those axes. */
function pad(n: NodeReader): OnnxValue {
  const pads = n.numbersOf('pads', 1)!;
  const { shape } = n.at(0);
  const axes = (n.has(3) ? n.numbers(3) : [...shape.keys()]).map((axis) => fromFirst(axis, shape.length));
  const mode = n.text('mode', 'constant', 'reflect', 'edge', 'wrap');
  const value = n.has(2) ? n.numbers(2)[0]! : n.number('value', 0);
  const x = axes.reduce((x: Operand, axis, index) => {
    const [before, after] = [pads[index]!, pads[index + axes.length]!];
    return before === 0 && after === 0 ? x : ops.pad({ x }, { axis, before, after, mode, ...(value !== 0 && { value }) });
  }, n.at(0));
  return n.like(0, x);
}

/** To the lengths given: what is missing as zeros, what is too much cut, one more at the end where it is odd. */
function centerCropPad(n: NodeReader): OnnxValue {
  const { shape } = n.at(0);
  const lengths = n.numbers(1);
  const axes = n.ints('axes') ?? [...shape.keys()];
  const x = axes.reduce((x: Operand, given, index) => {
    const axis = fromFirst(given, shape.length);
    const more = lengths[index]! - shape[axis]!;
    if (more === 0) return x;
    // Cut from floor(-more / 2) on; padded by floor(more / 2) before.
    const before = more > 0 ? Math.floor(more / 2) : -Math.floor(-more / 2);
    return ops.pad({ x }, { axis, before, after: more - before });
  }, n.at(0));
  return n.like(0, x);
}

const integers = (data: readonly number[], dims: readonly number[] = [data.length]): OnnxValue =>
  known({ dtype: 'int64', dims, data });

export const moves: Mappings = {
  CenterCropPad: centerCropPad,
  Concat: (n) => n.like(0, ops.concatAll(n.all, { axis: n.number('axis', 0) })),
  Constant: (n) => known(n.tensor('value') ?? n.reject('expected a tensor as value')),
  ConstantOfShape: (n) => {
    const dims = n.numbers(0);
    const { dtype, data } = n.tensor('value') ?? { dtype: 'float32', data: [0] };
    return known({ dtype, dims, data: Array.from({ length: sizeOf(dims) }, () => data[0]!) });
  },
  DepthToSpace: (n) => {
    const mode = n.text('mode', 'DCR', 'CRD');
    return n.like(0, ops.depthToSpace({ x: n.at(0) }, { block: n.number('blocksize', 1), mode }));
  },
  Expand: (n) => n.like(0, ops.expand({ x: n.at(0) }, { shape: n.numbers(1) })),
  Flatten: (n) => viewed(n, ops.flatten({ x: n.at(0) }, { axis: n.number('axis', 1) })),
  Gather: (n) => n.like(0, ops.gather({ x: n.at(0), indices: n.at(1) }, { axis: n.number('axis', 0) })),
  GatherElements: (n) => n.like(0, ops.gatherElements({ x: n.at(0), indices: n.at(1) }, { axis: n.number('axis', 0) })),
  OneHot: oneHot,
  Pad: pad,
  Range: (n) => {
    const [start, end, step] = [n.numbers(0)[0]!, n.numbers(1)[0]!, n.numbers(2)[0]!];
    const { dtype } = n.input(0);
    const data = Array.from(rangeNumbers({ start, end, step, dtype: deviceDtype(dtype) }));
    return known({ dtype, dims: [data.length], data });
  },
  Reshape: reshape,
  Shape: (n) => {
    const { shape } = n.at(0);
    return integers(shape.slice(n.number('start', 0), n.number('end', shape.length)));
  },
  Size: (n) => integers([lengthOf(n.at(0))], []),
  Slice: slice,
  SpaceToDepth: (n) => n.like(0, ops.spaceToDepth({ x: n.at(0) }, { block: n.number('blocksize', 1) })),
  Split: split,
  Squeeze: squeeze,
  Tile: (n) => n.like(0, ops.tile({ x: n.at(0) }, { repeats: n.numbers(1) })),
  Transpose: (n) => {
    const permutation = n.ints('perm');
    return n.like(0, ops.transpose({ x: n.at(0) }, permutation ? { permutation } : {}));
  },
  Trilu: (n) => {
    const diagonal = n.has(1) ? n.numbers(1)[0]! : 0;
    return n.like(0, ops.triangle({ x: n.at(0) }, { upper: n.flag('upper', true), diagonal }));
  },
  Unsqueeze: unsqueeze,
};

/** The depth and both values are known inputs. */
function oneHot(n: NodeReader): OnnxValue {
  const given = n.at(0);
  const indices = given.dtype === 'f32' ? ops.cast({ x: given }, { to: 'i32' }) : given;
  const [depth] = n.numbers(1);
  const [off, on] = n.numbers(2);
  const attributes = { axis: n.number('axis', -1), depth: depth!, on: on!, off: off! };
  return n.like(2, ops.oneHot({ indices }, { ...attributes, dtype: deviceDtype(n.input(2).dtype) }));
}
