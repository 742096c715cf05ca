/** x to the right, y down. */
export type Point = readonly [x: number, y: number];

/** Control points of a quadratic B-spline with its ends on the first and the last; two points make a straight line. */
export type Stroke = readonly Point[];

const STEPS_PER_CURVE = 5;

/**
 * The polyline of a stroke: Bezier curves from middle to middle of its control polygon, each bent towards the point
 * between. A control point given twice becomes a corner.
 */
export function flatten(stroke: Stroke): Point[] {
  const last = stroke.length - 1;
  const line: Point[] = [stroke[0]!];
  for (let bend = 1; bend < last; bend++) {
    const from = line[line.length - 1]!;
    const [, control, next] = stroke.slice(bend - 1, bend + 2) as [Point, Point, Point];
    const to = bend + 1 === last ? next : middle(control, next);
    for (let step = 1; step <= STEPS_PER_CURVE; step++) line.push(bezier(from, control, to, step / STEPS_PER_CURVE));
  }
  if (last === 1) line.push(stroke[1]!);
  return line;
}

/** A grey picture being drawn: ink 0..1 at each pixel, `[size, size]`. */
export interface Canvas {
  readonly size: number;
  readonly ink: Float64Array;
}

/**
 * Draws a polyline in pixel units (pixel centres at whole numbers): full ink within half a pixel less than `radius`,
 * none beyond half a pixel more, a linear edge between. Where lines cross, the stronger ink stays.
 */
export function drawLine(canvas: Canvas, line: readonly Point[], pen: { radius: number; ink: number }): void {
  for (let at = 1; at < line.length; at++) drawSegment(canvas, line[at - 1]!, line[at]!, pen.radius, pen.ink);
}

function drawSegment({ size, ink: pixels }: Canvas, from: Point, to: Point, radius: number, ink: number): void {
  const reach = radius + 0.5;
  const [fromX, fromY] = from;
  const [alongX, alongY] = [to[0] - fromX, to[1] - fromY];
  const lengthSquared = alongX * alongX + alongY * alongY;
  const [left, right] = pixelRange(fromX, to[0], reach, size);
  const [top, bottom] = pixelRange(fromY, to[1], reach, size);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [offsetX, offsetY] = [x - fromX, y - fromY];
      const along = lengthSquared === 0 ? 0 : (offsetX * alongX + offsetY * alongY) / lengthSquared;
      const nearest = Math.min(1, Math.max(0, along));
      const [missX, missY] = [offsetX - nearest * alongX, offsetY - nearest * alongY];
      const coverage = Math.min(1, reach - Math.sqrt(missX * missX + missY * missY));
      const pixel = y * size + x;
      if (coverage * ink > pixels[pixel]!) pixels[pixel] = coverage * ink;
    }
  }
}

function pixelRange(from: number, to: number, reach: number, size: number): [first: number, last: number] {
  const first = Math.ceil(Math.min(from, to) - reach);
  const last = Math.floor(Math.max(from, to) + reach);
  return [Math.max(0, first), Math.min(size - 1, last)];
}

function middle([fromX, fromY]: Point, [toX, toY]: Point): Point {
  return [(fromX + toX) / 2, (fromY + toY) / 2];
}

function bezier(from: Point, control: Point, to: Point, t: number): Point {
  const [first, second, third] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
  return [
    first * from[0] + second * control[0] + third * to[0],
    first * from[1] + second * control[1] + third * to[1],
  ];
}
