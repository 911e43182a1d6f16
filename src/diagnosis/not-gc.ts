/** What was slow waited for something else: the collector kept to its budgets, or the network was slow at times when it did. */
import type { SignalWindow, Thresholds } from '../model/index.ts';
import type { CauseCheck, Facts, Finding } from './evidence.ts';
import { blockedReads, isNetworkSlow, slowNetwork } from './network.ts';
import { gcEvidence, percent } from './words.ts';

const ENOUGH_WINDOWS = 10;
/** Of the seconds with a slow network: where fewer lie apart from the collector's, its stalls may be what made the network slow. */
const MOSTLY_APART = 0.5;

export const notGc: CauseCheck = (facts) => {
  if (facts.recent.length === 0) return undefined;
  return facts.broken.size === 0 ? withinBudgets(facts) : besideBreach(facts);
};

const refutedBy = 'Slow events that overlap GC pauses or assist stalls in the execution trace.';

function withinBudgets(facts: Facts): Finding {
  const lost = facts.recent.some((window) => window.lostEvents > 0);
  const network = slowNetwork(facts.recent, facts.evidence.thresholds.network);
  const doubtful = lost || facts.recent.length < ENOUGH_WINDOWS;
  return {
    cause: 'NotGc',
    summary: `Garbage collection and memory kept to their budgets${network.length > 0 ? '; the program waited for the network' : ''}.`,
    confidence: doubtful ? 0.4 : network.length > 0 ? 0.9 : 0.8,
    evidence: [
      ...network,
      ...gcEvidence(facts),
      ...blockedReads(facts.recent),
      ...(lost ? ['probe events were lost: pauses may be missing'] : []),
    ],
    refutedBy,
  };
}

/** A limit was broken, but the latency that users saw need not be that: an own cause beside those that explain the breach. */
function besideBreach(facts: Facts): Finding | undefined {
  const { recent, evidence } = facts;
  const { thresholds } = evidence;
  const collector = facts.gcOverBudget || facts.stallsOver;
  if (!collector && !facts.memoryOver && !facts.mmapOver) return undefined;
  const slow = recent.filter((window) => isNetworkSlow(window, thresholds.network));
  const apart = slow.filter((window) => !isOverBudget(window, thresholds)).length / slow.length;
  if (slow.length === 0 || apart < MOSTLY_APART) return undefined;
  return {
    cause: 'NotGc',
    summary: collector
      ? 'The program also waited for the network, in seconds in which garbage collection kept to its budget.'
      : 'Garbage collection kept to its budget; the program waited for the network.',
    confidence: Number(((collector ? 0.25 : 0.5) * apart).toFixed(3)),
    evidence: [
      ...slowNetwork(recent, thresholds.network),
      `in ${percent(apart)} of those ${slow.length} windows garbage collection kept to its budget`,
      ...gcEvidence(facts),
      ...blockedReads(recent),
    ],
    refutedBy,
  };
}

function isOverBudget({ gcStall, gc }: SignalWindow, { gcStallP99Ns, gcCpuShare }: Thresholds): boolean {
  return gcStall.p99Ns > gcStallP99Ns || (gc?.cpuShare ?? 0) > gcCpuShare;
}
