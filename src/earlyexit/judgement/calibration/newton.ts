/** A smooth convex function of some numbers, with derivatives: the Hessian `[n, n]` row by row. */
export interface ConvexFunction {
  value(at: Float64Array): number;
  derivatives(at: Float64Array): { readonly gradient: Float64Array; readonly hessian: Float64Array };
}

/** Added to the diagonal of the Hessian: Newton's steps exist where it is singular (Lin, Lin and Weng 2007). */
const RIDGE = 1e-12;
const MOST_STEPS = 200;

/**
 * Where the function is least, by Newton's steps that are halved until they help (Boyd and Vandenberghe 2004, "Convex
 * optimization", algorithm 9.5). It ends where a step promises less than 1e-12, which it is then taken for, or where
 * rounding lets none help.
 */
export function minimize({ value, derivatives }: ConvexFunction, start: Float64Array): Float64Array {
  let at = start;
  let reached = value(at);
  for (let step = 0; step < MOST_STEPS; step++) {
    const { gradient, hessian } = derivatives(at);
    const move = solve(hessian, gradient);
    const promised = gradient.reduce((sum, slope, index) => sum + slope * move[index]!, 0);
    if (promised <= 1e-12) return at.map((number, index) => number - move[index]!);
    let next = at;
    let size = 1;
    let found = NaN;
    for (; size > 1e-10; size /= 2) {
      next = at.map((number, index) => number - size * move[index]!);
      found = value(next);
      if (found <= reached - 1e-4 * size * promised) break;
    }
    if (!(found < reached)) return at;
    [at, reached] = [next, found];
  }
  return at;
}

/** Solves `H x = g` for a symmetric positive semidefinite `H` by its Cholesky factor. */
function solve(hessian: Float64Array, gradient: Float64Array): Float64Array {
  const size = gradient.length;
  const factor = Float64Array.from(hessian);
  const dot = (row: number, other: number, upTo: number): number => {
    let sum = 0;
    for (let index = 0; index < upTo; index++) sum += factor[row * size + index]! * factor[other * size + index]!;
    return sum;
  };
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < row; column++) {
      const rest = factor[row * size + column]! - dot(row, column, column);
      factor[row * size + column] = rest / factor[column * size + column]!;
    }
    const square = factor[row * size + row]! - dot(row, row, row);
    factor[row * size + row] = Math.sqrt(Math.max(square, 0) + RIDGE);
  }
  const solution = Float64Array.from(gradient);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < row; column++) solution[row]! -= factor[row * size + column]! * solution[column]!;
    solution[row]! /= factor[row * size + row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let below = row + 1; below < size; below++) solution[row]! -= factor[below * size + row]! * solution[below]!;
    solution[row]! /= factor[row * size + row]!;
  }
  return solution;
}
