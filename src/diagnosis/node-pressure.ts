/** The whole node is short of memory while the container is far from its own limit: a neighbour's doing, or the node's size. */
import type { SignalWindow } from '../model/index.ts';
import type { CauseCheck } from './evidence.ts';
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
  if (!facts.memoryOver && !facts.stallsOver) return undefined;
  const limit = evidence.thresholds.nodeMemoryPressure;
  const pressed = recent.filter((window) => pressureOfNode(window) > limit);
  const far = pressed.filter((window) => shareOfLimit(window) < FAR_FROM_LIMIT);
  if (pressed.length < MIN_WINDOWS || far.length < MOSTLY * pressed.length) return undefined;
  const waiting = recent.filter(waitsForMemory);
  const coincide = waiting.filter((window) => pressed.includes(window)).length / waiting.length;
  if (waiting.length < MIN_WINDOWS || coincide < COINCIDE) return undefined;
  // A collector over its CPU budget is slow without any help.
  const ownDoing = facts.broken.has('gcCpuShare') ? 0.6 : 1;
  const nearest = Math.max(...pressed.map(shareOfLimit));
  return {
    cause: 'NodePressure',
    summary: `The node is short of memory; the container is not: it uses ${nearest > 0 ? `at most ${percent(nearest)} of its limit` : 'memory without a limit of its own'}.`,
    confidence: together([
      0.5 * coincide * ownDoing,
      0.3 * (far.length / pressed.length) * ownDoing,
      facts.memoryOver ? 0.3 : 0,
    ]),
    evidence: [
      `memory pressure (some) of the node up to ${percent(Math.max(...pressed.map(pressureOfNode)))}, over ${percent(limit)} in ${pressed.length} of ${recent.length} windows`,
      `the container waited for memory in ${waiting.length} windows, in ${percent(coincide)} of them the node was under pressure`,
      `memory pressure (some) of the container up to ${percent(Math.max(...recent.map(pressureOfContainer)))}`,
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

/** memory.high stops a container as memory.max does. 0 without a limit: as far from it as can be. */
function shareOfLimit({ cgroup }: SignalWindow): number {
  if (!cgroup) return 0;
  const limit = Math.min(cgroup.memoryLimitBytes ?? Infinity, cgroup.memoryHighBytes ?? Infinity);
  return cgroup.memoryCurrentBytes / limit;
}
