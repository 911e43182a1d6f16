/**
 * The runbooks: named remedies, each with the causes it answers and what must hold before it is tried. A policy chooses among them and puts
 * them in order (`actions.runbooks`). How to add one: docs/remedies.md.
 */
import type { RunbookName } from '../api/index.ts';
import { buyTime } from './buy-time.ts';
import { holdBack, raiseGoMemLimit } from './go-mem-limit.ts';
import { lowerGogc } from './lower-gogc.ts';
import {
  gcCostIsTheBreach,
  memoryIsAtItsEnd,
  memoryIsTheBreach,
  moreMemoryLowersTheBreach,
  noTimeWasBought,
  nothingHoldsTheHeapBack,
  notStartedAnewLately,
  type Precondition,
  restartsAreAllowed,
} from './preconditions.ts';
import type { Remedy } from './proposal.ts';
import { raiseGogc } from './raise-gogc.ts';
import { raiseLimit } from './raise-limit.ts';
import { startAnew } from './start-anew.ts';

export interface Runbook {
  /** Codes of causes (`src/diagnosis`). */
  readonly against: readonly string[];
  /** For people who choose. */
  readonly does: string;
  /** Asked in this order; the first that does not hold is the reason for which it is passed over. */
  readonly preconditions: readonly Precondition[];
  /** Guardrails and ways come after, whichever it is. */
  readonly remedy: Remedy;
}

export const RUNBOOKS: Readonly<Record<RunbookName, Runbook>> = {
  RaiseGogc: {
    against: ['GogcTooLow'],
    does: 'raises GOGC to what the formula asks for; where that does not fit, the memory limit first',
    preconditions: [gcCostIsTheBreach],
    remedy: raiseGogc,
  },
  RaiseGoMemLimit: {
    against: ['MemoryLimitTooTight'],
    does: 'raises GOMEMLIMIT where the memory limit has room that the collector may not use',
    preconditions: [moreMemoryLowersTheBreach],
    remedy: raiseGoMemLimit,
  },
  RaiseMemoryLimit: {
    against: ['MemoryLimitTooTight'],
    does: 'raises the memory limit by a step; GOMEMLIMIT follows where it stands in the way',
    preconditions: [moreMemoryLowersTheBreach],
    remedy: raiseLimit,
  },
  HoldHeapBack: {
    against: ['MemoryLimitTooTight'],
    does: 'sets GOMEMLIMIT under a memory limit that the heap would grow past',
    preconditions: [moreMemoryLowersTheBreach, nothingHoldsTheHeapBack],
    remedy: holdBack,
  },
  LowerGogc: {
    against: ['MemoryLimitTooTight'],
    does: 'lowers GOGC to what fits under the memory limit',
    preconditions: [memoryIsTheBreach, nothingHoldsTheHeapBack],
    remedy: lowerGogc,
  },
  BuyTime: {
    against: ['Leak'],
    does: 'raises the memory limit by a step, once, before the kernel kills; the incident is for people',
    preconditions: [memoryIsAtItsEnd, noTimeWasBought],
    remedy: buyTime,
  },
  StartAnew: {
    against: ['Leak'],
    does: 'makes the pod anew once no more time can be bought, where the policy has Restart in actions.apply; the incident is for people',
    preconditions: [restartsAreAllowed, memoryIsAtItsEnd, notStartedAnewLately],
    remedy: startAnew,
  },
};
