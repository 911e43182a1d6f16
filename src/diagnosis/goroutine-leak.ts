/**
 * What the collector scans as roots grows and goes on growing: stacks, so goroutines that wait for what nobody sends. What they hold
 * makes the live heap grow too, but it is they that leak.
 */
import type { CauseCheck } from './evidence.ts';
import { growthOf } from './growth.ts';
import { slowGrowthOf } from './slow-growth.ts';
import { mebibytes, together } from './words.ts';

/** Some thousand goroutines: a stack that waits has a few hundred bytes to scan. Less is what deeper calls of the same goroutines make. */
const NOTABLE_BYTES = 512 * 1024;

export const goroutineLeak: CauseCheck = (facts) => {
  const name = 'GC roots (stacks and globals)';
  const growth =
    growthOf(facts, name, ({ rootsBytes }) => rootsBytes) ??
    slowGrowthOf(facts.evidence.heapHistory ?? [], name, ({ rootsBytes }) => rootsBytes);
  if (!growth || growth.toBytes - growth.fromBytes < NOTABLE_BYTES) return undefined;
  return {
    cause: 'GoroutineLeak',
    summary: `Stacks that the collector scans grow by ${mebibytes(growth.slope.perSecond * 60)} a minute: goroutines are left behind.`,
    confidence: together([0.5, 0.6 * growth.tau, 0.3 * Math.min(1, growth.relative)]),
    evidence: [...growth.evidence],
    refutedBy: 'The goroutine profile shows as many goroutines as before.',
  };
};
