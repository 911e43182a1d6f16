/** All causes asked, answers ranked. Pure: the same evidence gives the same diagnosis, also in a replay from a bundle. */
import type { SignalName } from '../api/index.ts';
import { allocationBound } from './allocation-bound.ts';
import { cpuThrottling } from './cpu-throttling.ts';
import { CAUSES, type Cause, type CauseCheck, type Evidence, type Facts, type Finding, factsOf } from './evidence.ts';
import { gogcTooLow } from './gogc-too-low.ts';
import { goroutineLeak } from './goroutine-leak.ts';
import { leak } from './leak.ts';
import { memoryLimitTooTight } from './memory-limit-too-tight.ts';
import { memoryMapping } from './memory-mapping.ts';
import { blockedReads, slowNetwork } from './network.ts';
import { nodePressure } from './node-pressure.ts';
import { notGc } from './not-gc.ts';
import { pageFaults } from './page-faults.ts';
import { slowStopping } from './slow-stopping.ts';
import { weightBy } from './trigger.ts';
import { unexplained } from './unexplained.ts';

const CHECKS: Readonly<Record<Exclude<Cause, 'Unexplained'>, CauseCheck>> = {
  GoroutineLeak: goroutineLeak,
  Leak: leak,
  MemoryLimitTooTight: memoryLimitTooTight,
  CpuThrottling: cpuThrottling,
  NodePressure: nodePressure,
  MemoryMapping: memoryMapping,
  PageFaults: pageFaults,
  SlowStopping: slowStopping,
  GogcTooLow: gogcTooLow,
  AllocationBound: allocationBound,
  NotGc: notGc,
};

/**
 * What a cause, where it is found, makes doubtful: a leak brings every other sign with it, and tuning would only hide it; goroutines that
 * leak hold on to memory; under a tight limit GC works hard whatever GOGC says; throttled collections look like long ones, but
 * collections that come too often may be what uses up the quota; so do collections that wait for the node's memory, for the memory map,
 * for pages or for the world to stop. A thread without CPU or without its page stops late, and pages are evicted where memory is short.
 * What is late for want of CPU or memory, or stood still, was not late beside them. Weights from 0 to 1.
 */
const CASTS_DOUBT_ON: Readonly<Partial<Record<Cause, Readonly<Partial<Record<Cause, number>>>>>> = {
  GoroutineLeak: { Leak: 0.8, MemoryLimitTooTight: 1, GogcTooLow: 1, AllocationBound: 1 },
  Leak: { MemoryLimitTooTight: 1, GogcTooLow: 1, AllocationBound: 1 },
  MemoryLimitTooTight: { GogcTooLow: 1, AllocationBound: 1, PageFaults: 0.5, NotGc: 0.5 },
  CpuThrottling: { GogcTooLow: 0.5, AllocationBound: 1, SlowStopping: 0.5, NotGc: 0.5 },
  NodePressure: { GogcTooLow: 0.5, AllocationBound: 1, PageFaults: 0.5, NotGc: 0.5 },
  MemoryMapping: { GogcTooLow: 0.5, AllocationBound: 1 },
  PageFaults: { GogcTooLow: 0.5, AllocationBound: 1, SlowStopping: 0.5 },
  SlowStopping: { GogcTooLow: 0.5, AllocationBound: 1 },
};

/**
 * Causes from the most to the least likely; of equals the one named first in `CAUSES`. A trigger that fits no cause is `Unexplained`.
 * Empty only where nothing is known (no window), or a breach fits no cause and was no trigger.
 */
export function diagnose(evidence: Evidence): Finding[] {
  const facts = factsOf(evidence);
  const found = CAUSES.flatMap((cause) => (cause === 'Unexplained' ? [] : (CHECKS[cause](facts) ?? [])));
  if (found.length === 0) return unexplained(facts).map((finding) => withNetwork(finding, facts));
  return found
    .map((finding) => withNetwork(doubted(finding, found, evidence.trigger), facts))
    .sort((a, b) => b.confidence - a.confidence || CAUSES.indexOf(a.cause) - CAUSES.indexOf(b.cause));
}

/** Whatever the cause is: what else was slow at that time, last. */
function withNetwork(finding: Finding, { recent, evidence }: Facts): Finding {
  if (finding.cause === 'NotGc') return finding;
  const also = slowNetwork(recent, evidence.thresholds.network).map((sentence) => `also slow meanwhile: ${sentence}`);
  return { ...finding, evidence: [...finding.evidence, ...also, ...blockedReads(recent)] };
}

function doubted(finding: Finding, all: readonly Finding[], trigger: SignalName | undefined): Finding {
  let confidence = finding.confidence * weightBy(trigger, finding.cause);
  for (const other of all) {
    confidence *= 1 - other.confidence * (CASTS_DOUBT_ON[other.cause]?.[finding.cause] ?? 0);
  }
  return { ...finding, confidence: Number(confidence.toFixed(3)) };
}
