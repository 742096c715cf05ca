import type { Corruption } from './corruption.ts';

/** Adds to each byte a draw of the normal distribution; the amount is its standard deviation, 1 being 255. */
export const gaussianNoise: Corruption = ({ pixels }, deviation, random, into) => {
  pixels.forEach((value, at) => {
    into[at] = value + 255 * deviation * random.normal();
  });
};

/** Makes each byte 0 or 255, equally likely, with a probability that is the amount. */
export const saltAndPepper: Corruption = ({ pixels }, probability, random, into) => {
  pixels.forEach((value, at) => {
    const draw = random.uniform();
    const isSalt = random.below(2) === 1;
    into[at] = draw >= probability ? value : isSalt ? 255 : 0;
  });
};
