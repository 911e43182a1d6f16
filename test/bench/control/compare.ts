/** The product beside simple controllers and the best setting that never changes, shape by shape. Pure. */
import { mean } from '../statistics.ts';
import type { Outcome } from './run.ts';

/** An outcome as the mean over seeds. */
export type MeanOutcome = Outcome;

export interface ShapeResult<O extends Outcome = MeanOutcome> {
  readonly shape: string;
  readonly seconds: number;
  readonly product: O;
  readonly simple: readonly O[];
  /** Of all settings that never change, the one with the fewest violating seconds, then the least GC CPU. */
  readonly oracle: O;
  /** The fewest kills with any setting that never changes. */
  readonly leastStaticKills: number;
  readonly isNeverWorse: boolean;
  readonly isNearOracle: boolean;
  readonly isSafe: boolean;
}

const NEAR_ORACLE = 1.1;

export function meanOf(outcomes: readonly Outcome[]): MeanOutcome {
  const of = (value: (outcome: Outcome) => number): number => mean(outcomes.map(value));
  return {
    controller: outcomes[0]?.controller ?? '',
    violatingSeconds: of((each) => each.violatingSeconds),
    gcCpuShare: of((each) => each.gcCpuShare),
    peakBytes: Math.max(...outcomes.map(({ peakBytes }) => peakBytes)),
    actions: of((each) => each.actions),
    oomKills: of((each) => each.oomKills),
  };
}

/** @param chanceSeconds a difference that says nothing, where the same run twice has not the same outcome */
export function compare<O extends Outcome>(
  shape: { readonly name: string; readonly seconds: number },
  product: O,
  simple: readonly O[],
  statics: readonly O[],
  chanceSeconds = 0,
): ShapeResult<O> {
  const [oracle = product] = statics.toSorted(
    (a, b) => a.violatingSeconds - b.violatingSeconds || a.gcCpuShare - b.gcCpuShare,
  );
  const leastStaticKills = Math.min(...statics.map(({ oomKills }) => oomKills));
  const sure = product.violatingSeconds - chanceSeconds;
  return {
    shape: shape.name,
    seconds: shape.seconds,
    product,
    simple,
    oracle,
    leastStaticKills,
    isNeverWorse: sure <= Math.min(...simple.map((each) => each.violatingSeconds)),
    isNearOracle: sure <= NEAR_ORACLE * oracle.violatingSeconds,
    isSafe: product.oomKills <= leastStaticKills,
  };
}
