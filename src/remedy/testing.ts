/** Random policies for simulations of whole histories. */
import fc from 'fast-check';
import type { PolicySpec } from '../api/index.ts';
import { syntheticSpec } from '../model/testing.ts';

const base = syntheticSpec({ actions: { mode: 'Auto', apply: ['Live'] } });

export interface SimulatedPolicies {
  /** Largest budget. */
  readonly mostActions: number;
  /** Highest lower bound of GOGC. */
  readonly highestMin: number;
  readonly continuous: boolean;
}

export function simulatedPolicies({
  mostActions,
  highestMin,
  continuous,
}: SimulatedPolicies): fc.Arbitrary<PolicySpec> {
  return fc
    .record({
      mode: fc.constantFrom('Auto', 'Auto', 'Auto', 'Recommend', 'Observe'),
      cooldown: fc.constantFrom('10s', '1m', '5m'),
      actions: fc.integer({ min: 1, max: mostActions }),
      per: fc.constantFrom('2m', '10m', '1h'),
      min: fc.integer({ min: 5, max: highestMin }),
      room: fc.integer({ min: 0, max: 600 }),
      maxStep: fc.constantFrom('10%', '50%', '100%', '900%'),
      goMemLimit: fc.constantFrom('70%', '90%'),
      holdHeap: fc.boolean(),
      base: fc.integer({ min: 5, max: 400 }),
      baseline: fc.integer({ min: 1, max: 20_000 }),
    })
    .map(
      ({ mode, cooldown, actions, per, min, room, maxStep, goMemLimit, holdHeap, ...formula }): PolicySpec => ({
        ...base,
        actions: { ...base.actions, mode, cooldown, budget: { actions, per } } as PolicySpec['actions'],
        tuning: {
          continuous,
          formula,
          gogc: { min, max: min + room, maxStep },
          memoryLimit: { ...base.tuning.memoryLimit, goMemLimit, holdHeap },
        },
      }),
    );
}
