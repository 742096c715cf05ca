import { ArgumentError } from '../errors.ts';
import type { Network } from './network.ts';
import { trunkOf } from './plain-network.ts';
import type { Place, PlainNetwork } from './plain-network.ts';

/**
 * The layers behind which exits come to stand nearest to the given shares of the network's multiply-accumulates, such
 * as the 0.15, 0.3, ... 0.9 of Kaya et al. 2019, for `attachExits`. What costs none and keeps the planes (an
 * activation, a pooling) stays with the layer before it, so that the head sees as little as possible. Heads are not
 * counted.
 * @throws ArgumentError unless shares ascend between 0 and 1 and each falls behind a layer of its own
 */
export function placeExits(
  network: PlainNetwork | Network,
  { shares }: { readonly shares: readonly number[] },
): string[] {
  if (!shares.every((share, index) => share > (shares[index - 1] ?? 0) && share < 1)) {
    throw new ArgumentError(`placeExits: expected ascending shares between 0 and 1, got ${shares.join(', ')}`);
  }
  const { places, macs } = trunkOf(network, 'placeExits');
  const candidates = places.filter((place, index) => place.macs > 0 && !leadsOn(place, places[index + 1]));
  if (candidates.length === 0) {
    throw new ArgumentError('placeExits: expected layers with multiply-accumulates before the last one, got none');
  }
  const distance = (place: Place, share: number): number => Math.abs(place.macs / macs - share);
  return shares
    .map((share) => candidates.reduce((best, place) => (distance(place, share) < distance(best, share) ? place : best)))
    .map(({ name }, index, nearest) => {
      if (name !== nearest[index - 1]?.name) return name;
      const pair = `${shares[index - 1]} and ${shares[index]}`;
      throw new ArgumentError(`placeExits: ${pair} both come nearest behind '${name}': expected shares further apart`);
    });
}

const leadsOn = (place: Place, next: Place | undefined): boolean =>
  next?.macs === place.macs && next.shape.length === place.shape.length;
