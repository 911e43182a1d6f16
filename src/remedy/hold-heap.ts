/** GOMEMLIMIT without any breach: where nothing holds the heap back, a surge is over with the OOM killer before anybody could answer it. Pure. */
import type { ActionRecord } from '../api/index.ts';
import { goMemLimitUnder, LIVE_HEAP_OF_GOMEMLIMIT } from '../model/index.ts';
import { MIN_WINDOWS } from './comparable.ts';
import type { Occasion } from './input.ts';
import type { Proposal } from './proposal.ts';
import type { TuningFacts } from './tuning-facts.ts';
import { beginGoMemLimit, chooseWay } from './ways.ts';
import { mebibytes } from './words.ts';

export interface HoldInput extends Occasion {
  readonly facts: TuningFacts;
  readonly tuned: readonly ActionRecord[];
}

/**
 * Set where there is none, and kept under the limit where it is ours: what a team set itself is its own. Never so low that the live heap
 * fills more than 60 % of it: the collector would not rest.
 */
export function holdHeap(input: HoldInput): Proposal | undefined {
  const { facts, spec, ways } = input;
  const { windows, memoryLimitBytes, nonGoBytes, heapLiveBytes, goMemLimits } = facts;
  const [now] = goMemLimits;
  if (windows < MIN_WINDOWS || memoryLimitBytes === null || heapLiveBytes === undefined) return undefined;
  if (now === undefined || goMemLimits.length > 1) return undefined;
  const fitting = goMemLimitUnder(memoryLimitBytes, nonGoBytes, spec.tuning.memoryLimit.goMemLimit);
  if (heapLiveBytes > LIVE_HEAP_OF_GOMEMLIMIT * fitting) return undefined;
  if (now !== null && workedOutFor(input, now) !== 'another limit') return undefined;
  const live = spec.actions.apply.filter((way) => way === 'Live');
  const chosen = chooseWay('GOMEMLIMIT', live, ways, beginGoMemLimit(now));
  if (typeof chosen === 'string') return undefined;
  const reason = `GOMEMLIMIT of ${mebibytes(fitting)} holds the heap under the memory limit of ${mebibytes(memoryLimitBytes)}.`;
  return {
    ...{ ...chosen, knob: 'GOMEMLIMIT' as const, to: String(fitting), reason, clampedBy: [] },
    underBytes: memoryLimitBytes,
  };
}

/**
 * Where it is not asked for any more, one that tuning set goes: nothing would keep it under the memory limit. What an incident set is a
 * remedy, and stays.
 */
export function releaseHeap({ facts, spec, ways, history, tuned }: HoldInput): Proposal | undefined {
  const [now] = facts.goMemLimits;
  if (now === undefined || now === null || facts.goMemLimits.length > 1) return undefined;
  const changes = [...history, ...tuned]
    .filter(({ knob, result }) => knob === 'GOMEMLIMIT' && result === 'Completed')
    .toSorted((a, b) => a.at.localeCompare(b.at));
  // Where there was none before; since then it may have been moved with the memory limit.
  const first = changes.findLast(({ before }) => before === null);
  if (changes.at(-1)?.after !== String(now) || !first || !tuned.includes(first)) return undefined;
  const live = spec.actions.apply.filter((way) => way === 'Live');
  const chosen = chooseWay('GOMEMLIMIT', live, ways, beginGoMemLimit(now));
  if (typeof chosen === 'string') return undefined;
  const reason = `GOMEMLIMIT of ${mebibytes(now)} was set for tuning.memoryLimit.holdHeap, which is off now.`;
  return { ...chosen, knob: 'GOMEMLIMIT', to: null, reason, clampedBy: [] };
}

/** Under its own limit it stays: what is in use beside the heap was shaped by it, and is no reason to change it. */
function workedOutFor(
  { history, tuned, facts }: HoldInput,
  bytes: number,
): 'this limit' | 'another limit' | 'not ours' {
  const ours = [...history, ...tuned].findLast(
    ({ knob, kind, after, result }) =>
      knob === 'GOMEMLIMIT' && kind !== 'Rollback' && result === 'Completed' && after === String(bytes),
  );
  if (!ours) return 'not ours';
  return ours.underBytes?.after === facts.memoryLimitBytes ? 'this limit' : 'another limit';
}
