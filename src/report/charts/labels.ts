import { FONT_SIZE } from './chart.ts';

/** A place in a plot, in pixels from its top left corner. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** Height of a line and mean width of a letter. */
const LINE = FONT_SIZE + 3;
const LETTER = 0.56 * FONT_SIZE;
/** Between a point and its label. */
const GAP = 9;

/**
 * Where the labels of points begin (their left end, at half their height), so that none covers another, a point, or one
 * of the `obstacles`. The first are placed first; one that finds no room goes to its right.
 */
export function placeLabels(
  points: readonly (Place & { readonly text: string })[],
  obstacles: readonly Place[],
  { width, height }: { width: number; height: number },
): Place[] {
  const taken = [...points, ...obstacles].map(({ x, y }) => ({ left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 }));
  return points.map(({ x, y, text }) => {
    const length = text.length * LETTER;
    const sides = [x + GAP, x - GAP - length, x - length / 2];
    const candidates = [0, 1, -1, 2, -2, 3, -3, 4, -4].flatMap((lines) =>
      // Above and below the point itself, but not on it.
      sides.slice(0, lines === 0 ? 2 : 3).map((left) => ({ x: left, y: y + lines * LINE })));
    const boxOf = (place: Place) => ({
      left: place.x - 2,
      right: place.x + length + 2,
      top: place.y - LINE / 2,
      bottom: place.y + LINE / 2,
    });
    const isFree = (place: Place): boolean => {
      const { left, right, top, bottom } = boxOf(place);
      const isInside = left >= 0 && right <= width && top >= 0 && bottom <= height;
      const isApart = (box: typeof taken[number]): boolean =>
        box.right < left || box.left > right || box.bottom < top || box.top > bottom;
      return isInside && taken.every(isApart);
    };
    const place = candidates.find(isFree) ?? candidates[0]!;
    taken.push(boxOf(place));
    return place;
  });
}
