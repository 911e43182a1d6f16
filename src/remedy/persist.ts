/** A memory limit that was raised in place and verified, to be written to the template, for the pods that come later. Pure. */
import { type Plan, quantityBytes } from '../api/index.ts';
import type { Occasion } from './input.ts';
import { guarded } from './plan.ts';
import { none } from './proposal.ts';
import { beginMemoryLimit, chooseWay } from './ways.ts';

/** As `plan` answers: it rolls pods, so it passes the guardrails of a remedy. @param limit in effect, as it stands in the pods */
export function planPersist(input: Occasion, limit: string, now: Date): Plan {
  const chosen = chooseWay('MemoryLimit', ['Rollout'], input.ways, beginMemoryLimit(quantityBytes(limit) ?? 0));
  if (typeof chosen === 'string') return none(chosen);
  const reason = `The memory limit of ${limit} is verified: pods that come later shall have it too.`;
  return guarded(input, { ...chosen, knob: 'MemoryLimit', to: limit, reason, clampedBy: [] }, now);
}
