import * as ops from '../../kernels/registry.ts';
import type { Mappings, NodeReader, OnnxValue } from '../node.ts';

/** A vector counts as a row on the left and as a column on the right, and has no axis in the result. */
function matrixProduct(n: NodeReader): OnnxValue {
  const [a, b] = [n.at(0), n.at(1)];
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  const left = isRow ? ops.reshape({ x: a }, { shape: [1, -1] }) : a;
  const right = isColumn ? ops.reshape({ x: b }, { shape: [-1, 1] }) : b;
  const rank = Math.max(left.shape.length, right.shape.length);
  const product = ops.matmul({ a: left, b: right });
  const dropped = [...(isRow ? [rank - 2] : []), ...(isColumn ? [rank - 1] : [])];
  const shape = product.shape.filter((_, axis) => !dropped.includes(axis));
  return n.like(0, dropped.length > 0 ? ops.reshape({ x: product }, { shape }) : product);
}

export const products: Mappings = {
  Gemm: (n) => {
    const c = n.maybe(2);
    const attributes = {
      alpha: n.number('alpha', 1),
      beta: n.number('beta', 1),
      transposeA: n.flag('transA'),
      transposeB: n.flag('transB'),
    };
    return n.like(0, ops.gemm({ a: n.at(0), b: n.at(1), ...(c && { c }) }, attributes));
  },
  MatMul: matrixProduct,
};
