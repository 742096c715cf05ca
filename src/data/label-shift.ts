import { ArgumentError } from '../errors.ts';
import { Random } from '../random.ts';
import { subset, type Dataset } from './dataset.ts';

/** Of the most to the least frequent class, for severity 1 to 5. */
const IMBALANCE = [2, 5, 10, 20, 50];

export type LabelShiftOptions = { readonly seed: number } & (
  | {
    /** How frequent each class shall be, relative to the others: one number of 0 or more a class. */
    readonly weights: readonly number[];
  }
  | {
    /**
     * 1 to 5: frequencies fall geometrically from class to class, the classes in an order that the seed draws, the
     * most frequent being 2, 5, 10, 20 or 50 times the least (the long tails of Cui et al. 2019, Class-balanced loss
     * based on effective number of samples, section 5.1).
     */
    readonly severity: number;
  }
);

/**
 * Label shift: other frequencies of the classes, the images of each class as they were. Items are left out, never
 * repeated: all that stay are different, so that intervals which count samples keep their meaning, at the price of
 * fewer of them: as many as there can be at these frequencies, of a rare class perhaps none. The seed draws which stay;
 * they keep their order.
 *
 * @throws ArgumentError for weights that are not one finite number >= 0 a class with at least one above 0, a weight
 *   above 0 for a class without items, a severity that is not 1 to 5, or fewer than two classes to shift between
 */
export function shiftLabels(dataset: Dataset, options: LabelShiftOptions): Dataset {
  const { name, labels, classNames } = dataset;
  const random = new Random(options.seed).split('label shift');
  const items = classNames.map((): number[] => []);
  labels.forEach((label, item) => items[label]!.push(item));
  const weights = 'weights' in options
    ? checkedWeights(options.weights, dataset, items)
    : geometricWeights(options.severity, dataset, items, random);
  // A class of weight 0 bounds nothing: n / 0 is infinite. One without items as well would be 0 / 0.
  const scale = Math.min(...items.map(({ length }, label) => (length || 1) / weights[label]!));
  const kept = items.flatMap((members, label) =>
    random.split(label).shuffle(members).slice(0, Math.round(scale * weights[label]!)));
  const suffix = 'weights' in options ? '' : `-${options.severity}`;
  return subset(dataset, kept.sort((a, b) => a - b), `${name}+label-shift${suffix}`);
}

function checkedWeights(
  weights: readonly number[],
  { name, classNames }: Dataset,
  items: readonly (readonly number[])[],
): readonly number[] {
  const good = weights.length === classNames.length && weights.every((weight) => weight >= 0 && weight < Infinity);
  if (!good || weights.every((weight) => weight === 0)) {
    throw new ArgumentError(
      `shiftLabels: expected ${classNames.length} finite weights of 0 or more, one a class and one above 0, ` +
        `got [${weights.join(', ')}]`,
    );
  }
  const empty = weights.findIndex((weight, label) => weight > 0 && items[label]!.length === 0);
  if (empty < 0) return weights;
  throw new ArgumentError(
    `shiftLabels: expected items of ${classNames[empty]} in ${name} for its weight of ${weights[empty]}, got none; ` +
      'give it the weight 0',
  );
}

/** A class without items gets the weight 0. */
function geometricWeights(
  severity: number,
  { name }: Dataset,
  items: readonly (readonly number[])[],
  random: Random,
): readonly number[] {
  const imbalance = IMBALANCE[severity - 1];
  if (imbalance === undefined) {
    throw new ArgumentError(`shiftLabels: expected a severity of 1, 2, 3, 4 or 5, got ${severity}`);
  }
  const present = items.flatMap(({ length }, label) => (length > 0 ? [label] : []));
  if (present.length < 2) {
    throw new ArgumentError(`shiftLabels: expected items of two classes or more, got ${present.length} in ${name}`);
  }
  const weights = items.map(() => 0);
  random.split('order').shuffle(present).forEach((label, rank) => {
    weights[label] = imbalance ** (-rank / (present.length - 1));
  });
  return weights;
}
