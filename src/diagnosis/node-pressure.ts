/**
 * The whole node, or a class of its pods, is short of memory while the container is far from its own limit: a neighbour's doing, or the
 * node's size.
 */
import type { SignalWindow } from '../model/index.ts';
import type { CauseCheck } from './evidence.ts';
import { killsIn } from './kills.ts';
import { gcEvidence, percent, together } from './words.ts';

const FAR_FROM_LIMIT = 0.7;
const MOSTLY = 0.8;
const MIN_WINDOWS = 2;
/** Of the windows in which the container waits for memory, those on a node under pressure. */
const COINCIDE = 0.5;
/** Less is what any program waits for now and then. */
const NOTABLE_SHARE = 0.01;
const NOTABLE_NS = 1e6;

export const nodePressure: CauseCheck = (facts) => {
  const { recent, evidence } = facts;
  const kills = killsIn(recent);
  if (!facts.memoryOver && !facts.stallsOver && !kills.farFromOwnLimit) return undefined;
  const limit = evidence.thresholds.nodeMemoryPressure;
  const underPressure = recent.filter((window) => pressureOfNode(window) > limit);
  const forOthers = recent.filter(reclaimsForOthers);
  const pressed = recent.filter((window) => underPressure.includes(window) || forOthers.includes(window));
  const far = pressed.filter((window) => shareOfLimit(window) < FAR_FROM_LIMIT);
  const waiting = recent.filter(waitsForMemory);
  const coincide = waiting.filter((window) => pressed.includes(window)).length / Math.max(1, waiting.length);
  const waits =
    pressed.length >= MIN_WINDOWS &&
    far.length >= MOSTLY * pressed.length &&
    waiting.length >= MIN_WINDOWS &&
    coincide >= COINCIDE;
  if (!waits && !kills.farFromOwnLimit) return undefined;
  // A collector over its CPU budget is slow without any help.
  const ownDoing = facts.broken.has('gcCpuShare') ? 0.6 : 1;
  const nearest = Math.max(0, ...(waits ? pressed : recent).map(shareOfLimit));
  return {
    cause: 'NodePressure',
    summary: `The node is short of memory; the container is not: it uses ${nearest > 0 ? `at most ${percent(nearest)} of its limit` : 'memory without a limit of its own'}.`,
    confidence: together([
      waits ? 0.5 * coincide * ownDoing : 0,
      waits ? 0.3 * (far.length / pressed.length) * ownDoing : 0,
      waits && facts.memoryOver ? 0.3 : 0,
      kills.farFromOwnLimit ? 0.7 : 0,
    ]),
    evidence: [
      `memory pressure (some) of the node up to ${percent(Math.max(...recent.map(pressureOfNode)))}, over ${percent(limit)} in ${underPressure.length} of ${recent.length} windows`,
      ...(forOthers.length > 0
        ? [`in ${forOthers.length} windows its threads had to free memory for a limit that is not the container's own`]
        : []),
      `the container waited for memory in ${waiting.length} windows, in ${percent(coincide)} of them the node was under pressure`,
      `memory pressure (some) of the container up to ${percent(Math.max(...recent.map(pressureOfContainer)))}`,
      ...(kills.farFromOwnLimit ? [`${kills.count} OOM kills although the container had not met its own limit`] : []),
      ...gcEvidence(facts),
    ],
    refutedBy: 'The container waits for memory just as long while the node is at ease.',
  };
};

function pressureOfNode({ cgroup }: SignalWindow): number {
  return cgroup?.node?.memory?.some ?? 0;
}

function pressureOfContainer({ cgroup }: SignalWindow): number {
  return cgroup?.memoryPressure?.some ?? 0;
}

function waitsForMemory(window: SignalWindow): boolean {
  return pressureOfContainer(window) >= NOTABLE_SHARE || (window.kernelMemory?.reclaimDirect.maxNs ?? 0) >= NOTABLE_NS;
}

/** Direct reclaim is for the machine; a cgroup's, where the container did not meet its own limit, for one of those above it. */
function reclaimsForOthers({ kernelMemory, cgroup }: SignalWindow): boolean {
  if (!kernelMemory) return false;
  const { reclaimDirect, reclaimMemcg } = kernelMemory;
  const metOwnLimit = cgroup?.events?.max !== 0 || (cgroup.podMaxEvents ?? 0) > 0;
  return reclaimDirect.maxNs >= NOTABLE_NS || (reclaimMemcg.maxNs >= NOTABLE_NS && !metOwnLimit);
}

/** memory.high stops a container as memory.max does. 0 without a limit: as far from it as can be. */
function shareOfLimit({ cgroup }: SignalWindow): number {
  if (!cgroup) return 0;
  const limit = Math.min(cgroup.memoryLimitBytes ?? Infinity, cgroup.memoryHighBytes ?? Infinity);
  return cgroup.memoryCurrentBytes / limit;
}
