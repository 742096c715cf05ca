import { bLeNetMnist } from './b-lenet-mnist.ts';
import { fashion } from './fashion.ts';
import { parity } from './parity.ts';
import { overConfidence } from './over-confidence.ts';
import { signs } from './signs.ts';
import { strategies } from './strategies.ts';
import type { Reproduction } from './workbench.ts';

/** By name, for the command line. */
export const REPRODUCTIONS = {
  'b-lenet-mnist': bLeNetMnist,
  fashion,
  parity,
  signs,
  'over-confidence': overConfidence,
  strategies,
} satisfies Record<string, Reproduction>;

export type ReproductionName = keyof typeof REPRODUCTIONS;
