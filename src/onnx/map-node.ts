import { UnsupportedError } from '../errors.ts';
import { NodeReader } from './node.ts';
import type { Mappings, OnnxNode, OnnxValue } from './node.ts';
import { attention } from './operators/attention.ts';
import { elementWise } from './operators/element-wise.ts';
import { losses } from './operators/losses.ts';
import { moves } from './operators/moves.ts';
import { normalizations } from './operators/normalizations.ts';
import { products } from './operators/products.ts';
import { reductions } from './operators/reductions.ts';
import { windows } from './operators/windows.ts';

const mappings: Mappings = {
  ...attention,
  ...elementWise,
  ...losses,
  ...moves,
  ...normalizations,
  ...products,
  ...reductions,
  ...windows,
};

/** The operators of ONNX that have a counterpart here, some of them not with every attribute. */
export const ONNX_OPERATORS: readonly string[] = Object.keys(mappings).toSorted();

/**
 * Expresses one node by operations of this library, inside a trace (https://onnx.ai/onnx/operators, the versions up to
 * operator set 26; earlier ones where models of PyTorch use them).
 * @returns its outputs, as many as are wanted
 * @throws UnsupportedError for operators, attributes and element types without a counterpart; ShapeError, ArgumentError
 */
export function mapNode(node: OnnxNode): readonly OnnxValue[] {
  const mapping = Object.hasOwn(mappings, node.op) ? mappings[node.op] : undefined;
  if (!mapping) throw new UnsupportedError(`${node.op}: no operator of ONNX that is mapped`);
  const outputs = [mapping(new NodeReader(node))].flat();
  if (outputs.length >= node.outputs) return outputs.slice(0, node.outputs);
  throw new UnsupportedError(`${node.op}: output ${outputs.length} is not built`);
}
