/** Policies under which robotgc acts, each by another way, with every field of the schema given. */
import { FULL_SPEC } from '../../src/api/policy-cases.ts';
import type { Json } from './values.ts';

export type Kind = 'Tuned' | 'Followed' | 'Healed' | 'RolledOut' | 'Advised';
export const KINDS: readonly Kind[] = ['Tuned', 'Followed', 'Healed', 'RolledOut', 'Advised'];

interface Case {
  readonly actions: { readonly [name: string]: Json };
  readonly continuous: boolean;
  /** Memory limit of the robot. */
  readonly memory: string;
}

const { maintenanceWindows: _atNight, runbooks: _some, ...actions } = FULL_SPEC.actions;
const base = { ...actions, verify: { ...actions.verify, after: '0s', window: '10s' }, persist: false };

/** Tuning answers a change of the policy at once, as often as it is asked to. */
const tuned = { ...base, apply: ['Live', 'Resize'], cooldown: '0s', budget: { actions: 1000, per: '1h' } };

const CASES: Readonly<Record<Kind, Case>> = {
  /** GOGC follows the robots, in the memory of the process. */
  Tuned: { actions: { ...tuned, liveBy: 'Agent' }, continuous: true, memory: '512Mi' },
  /** As before, and the program follows its file. */
  Followed: { actions: { ...tuned, liveBy: 'Program' }, continuous: true, memory: '512Mi' },
  /** The limit was raised in place, GOGC set live, and the limit written to the template. */
  Healed: {
    actions: { ...base, apply: ['Live', 'Resize'], liveBy: 'Agent', persist: true },
    continuous: false,
    memory: '128Mi',
  },
  /** GOGC stands in the template. */
  RolledOut: { actions: { ...base, apply: ['Rollout'] }, continuous: false, memory: '512Mi' },
  /** A change is offered, and waits to be approved. */
  Advised: { actions: { ...base, apply: ['Rollout'], mode: 'Recommend' }, continuous: false, memory: '512Mi' },
};

/** GOGC 100 by the formula for 10 000 robots; bounds near enough to be moved past it. */
export function specOf(kind: Kind, app: string): { readonly [name: string]: Json } {
  const { actions: own, continuous } = CASES[kind];
  const { tuning } = FULL_SPEC;
  return {
    ...FULL_SPEC,
    selector: { ...FULL_SPEC.selector, matchLabels: { app } },
    tuning: { ...tuning, continuous, gogc: { min: 25, max: 150, maxStep: '900%' } },
    actions: own,
  };
}

export function memoryOf(kind: Kind): string {
  return CASES[kind].memory;
}
