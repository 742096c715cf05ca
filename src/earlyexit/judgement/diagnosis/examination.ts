import type { Criterion } from '../../criteria.ts';
import type { PolicyKind } from '../../scheduling/costs.ts';
import type { BootstrapOptions, Interval } from '../intervals.ts';
import type { Latency } from '../latency.ts';
import type { ScoreTable } from '../scores.ts';
import type { ThresholdStability } from '../stability.ts';

export type Ailment =
  | 'premature exits'
  | 'shallow over-confidence'
  | 'degraded last exit'
  | 'unstable thresholds'
  | 'exits that cost more than they save'
  | 'no time saved'
  | 'worse tail latency'
  | 'collapse under shift';

/** What is known of a network with exits. What is left out is not looked at, and said to be so. */
export interface CaseHistory {
  /** On data that have neither trained the network nor chosen thresholds. */
  readonly scores: ScoreTable;
  readonly criterion: Criterion;
  /** Multiply-accumulates of each head: `network.macs.heads`. */
  readonly heads: readonly number[];
  /** Of the same samples, by the same trunk trained without exits; its last exit is looked at. */
  readonly plain?: ScoreTable | undefined;
  readonly stability?: readonly ThresholdStability[] | undefined;
  /** Under the policy in use first, then under others. */
  readonly latency?: readonly { readonly policy: PolicyKind; readonly times: Latency['times'] }[] | undefined;
  /** Of the same samples, made worse. */
  readonly shifted?: readonly { readonly name: string; readonly scores: ScoreTable }[] | undefined;
  /** How intervals are made. */
  readonly bootstrapping?: BootstrapOptions;
}

/** A number that speaks for or against; where it has no interval, both ends are the number. */
export interface Evidence {
  readonly what: string;
  /** `difference`: of two shares. */
  readonly unit: 'share' | 'difference' | 'macs' | 'ms' | 'threshold';
  readonly value: Interval;
}

interface Looked {
  readonly found: boolean;
  /** One sentence. */
  readonly says: string;
  readonly evidence: readonly Evidence[];
  /** What is called found, in words. */
  readonly rule: string;
  /** What to do about it: a command or a call. */
  readonly next: string;
}

/** Null: not looked at, and what for. */
export type Judgement = Looked | { readonly found: null; readonly needs: string };

export type Examination = { readonly kind: Ailment } & Judgement;
export type Finding = { readonly kind: Ailment } & Looked;

export const evidence = (what: string, unit: Evidence['unit'], value: Interval): Evidence => {
  const { value: estimate, low, high } = value;
  return { what, unit, value: { value: estimate, low, high } };
};
