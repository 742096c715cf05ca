import type { Limits } from '../../graph/limits.ts';
import { attainable, ridge } from '../../graph/roofline.ts';
import { percent, significant } from '../format.ts';
import { giga } from '../profile.ts';
import type { PlacedKernel } from '../profile.ts';
import { colour, styled } from './chart.ts';
import type { Chart } from './chart.ts';
import { placeLabels } from './labels.ts';

const WIDTH = 420;
const HEIGHT = 280;
/** Square pixels of the mark of a kernel that takes all of the time, and of the smallest. */
const LARGEST = 250;
const SMALLEST = 25;

/**
 * Arithmetic over intensity, both on logarithmic axes, below what the device can do: a point for each kernel whose
 * operations are known, its area the share of the time.
 */
export function rooflineChart(kernels: readonly PlacedKernel[], limits: Limits): Chart {
  const points = kernels
    .filter(({ flopsPerSecond }) => flopsPerSecond > 0)
    .map(({ kernel, intensity, flopsPerSecond, roofShare, timeShare }) => ({
      kernel,
      intensity,
      gigaflops: flopsPerSecond / 1e9,
      roofShare,
      size: SMALLEST + (LARGEST - SMALLEST) * timeShare,
    }));
  const meet = ridge(limits);
  const roofAt = (intensity: number) => ({ intensity, gigaflops: attainable(intensity, limits) / 1e9 });
  const known = [meet, ...points.map(({ intensity }) => intensity)];
  const x = [Math.min(...known) / 4, Math.max(...known) * 8] as const;
  const roof = [x[0], meet, x[1]].map(roofAt);
  const heights = [...roof, ...points].map(({ gigaflops }) => gigaflops);
  const y = [Math.min(...heights) / 2, Math.max(...heights) * 2] as const;
  const along = (value: number, [low, high]: readonly [number, number]): number =>
    Math.log(value / low) / Math.log(high / low);
  const at = ({ intensity, gigaflops }: { intensity: number; gigaflops: number }) => ({
    x: WIDTH * along(intensity, x),
    y: HEIGHT * (1 - along(gigaflops, y)),
  });
  const texts = points.map((point) => ({ ...at(point), text: `${point.kernel} ${percent(point.roofShare, 0)}` }));
  // Points between the corners of the roof, which labels keep clear of.
  const obstacles = roof.slice(1).flatMap((corner, index) => {
    const [from, to] = [at(roof[index]!), at(corner)];
    return Array.from({ length: 60 }, (_, step) => ({
      x: from.x + ((to.x - from.x) * step) / 59,
      y: from.y + ((to.y - from.y) * step) / 59,
    }));
  });
  const labels = placeLabels(texts, obstacles, { width: WIDTH, height: HEIGHT }).map((place, index) => ({
    text: texts[index]!.text,
    ...place,
  }));
  // Above the roof, where kernels are not: as far to the left as there is room.
  const end = obstacles.at(-1)!;
  const slope = obstacles.find((each) => each.x > 90) ?? end;
  const roofs = [
    { x: end.x - 4, y: end.y - 9, align: 'right', text: `${giga(limits.flopsPerSecond)} GFLOP/s` },
    { x: slope.x - 10, y: slope.y - 9, align: 'right', text: `${giga(limits.bytesPerSecond)} GB/s` },
  ];
  const axis = (field: string, domain: readonly [number, number], title: string | null) => ({
    field,
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    axis: { title, labelExpr: "format(datum.value, ',~g')", values: decades(domain), grid: true },
  });
  const encoding = { x: axis('intensity', x, 'FLOP per byte'), y: axis('gigaflops', y, null) };
  const placed = {
    x: { field: 'x', type: 'quantitative', scale: null },
    y: { field: 'y', type: 'quantitative', scale: null },
    text: { field: 'text' },
  };
  const write = (values: readonly object[], mark: object) => ({
    data: { values },
    mark: { type: 'text', baseline: 'middle', ...mark },
    encoding: placed,
  });
  const silent = kernels.filter(({ flopsPerSecond }) => flopsPerSecond === 0);
  const unknown = silent.reduce((sum, { timeShare }) => sum + timeShare, 0);
  const note = silent.length ? `; ${percent(unknown, 0)} of the time goes to kernels of unknown FLOPs` : '';
  return {
    id: 'roofline',
    alt: [
      `Roofline. The device comes to ${giga(limits.flopsPerSecond)} GFLOP/s and ${giga(limits.bytesPerSecond)} GB/s.`,
      ...points.map(({ kernel, gigaflops, roofShare }) =>
        `${kernel}: ${significant(gigaflops)} GFLOP/s, ${percent(roofShare, 0)}.`),
    ].join(' '),
    spec: styled({
      title: { text: `GFLOP/s; of the roof; area: share of the time${note}`, offset: 12 },
      width: WIDTH,
      height: HEIGHT,
      layer: [
        { data: { values: roof }, mark: { type: 'line', strokeWidth: 2, color: colour('quiet') }, encoding },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, opacity: 0.7, color: colour('accent') },
          encoding: { ...encoding, size: { field: 'size', type: 'quantitative', scale: null } },
        },
        write(labels, { align: 'left', fontWeight: 600 }),
        ...roofs.map(({ align, ...text }) => write([text], { align, color: colour('quiet') })),
      ],
    }),
  };
}

/** Powers of ten within. */
const decades = ([low, high]: readonly [number, number]): number[] => {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => 10 ** (first + step));
};
