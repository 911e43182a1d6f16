/**
 * The kernel takes long to hand out or take back address space, and the heap grows meanwhile: whoever allocates waits for the process's
 * memory map, and so does the collector.
 */
import type { SignalWindow } from '../model/index.ts';
import type { CauseCheck } from './evidence.ts';
import { stalledWindows } from './stalled.ts';
import { gcEvidence, milliseconds, percent, together } from './words.ts';

const MIN_WINDOWS = 2;
/** So much more often must slow windows hold a slow call than others do, for the calls to explain them. */
const MIN_LIFT = 0.5;
/** A stall is explained by a wait that is a good part of it. */
const PART_OF_STALL = 0.5;

export const memoryMapping: CauseCheck = (facts) => {
  const { recent, broken } = facts;
  const known = recent.filter((window) => window.kernelMemory !== undefined);
  const slow = known.filter((window) => longestWaitNs(window) >= 1e6 && slowCalls(window) > 0);
  if (slow.length < MIN_WINDOWS) return undefined;
  const { limitNs, stalled: allStalled } = stalledWindows(facts);
  const stalled = known.filter((window) => allStalled.includes(window));
  const explained = stalled.filter((window) => longestWaitNs(window) >= PART_OF_STALL * limitNs);
  const others = known.filter((window) => !stalled.includes(window));
  const lift =
    share(explained, stalled) -
    share(
      others.filter((window) => slow.includes(window)),
      others,
    );
  const explainsStalls = stalled.length >= MIN_WINDOWS && lift >= MIN_LIFT;
  if (!facts.mmapOver && !explainsStalls) return undefined;
  const calls = sum(known, slowCalls);
  const whileMarking = sum(known, (window) => window.kernelMemory?.waitsWhileMarking ?? 0);
  // A collector over its CPU budget may itself be what keeps the memory map busy.
  const ownDoing = broken.has('gcCpuShare') ? 0.6 : 1;
  return {
    cause: 'MemoryMapping',
    summary: `The kernel takes up to ${milliseconds(Math.max(...slow.map(longestWaitNs)))} to map memory for the growing heap.`,
    confidence: together([
      facts.mmapOver ? 0.5 : 0,
      explainsStalls ? 0.6 * lift * ownDoing : 0,
      whileMarking > 0 && explainsStalls ? 0.2 : 0,
    ]),
    evidence: [
      `${calls} mmap calls of 1 ms and longer in ${slow.length} of ${recent.length} windows, ${sum(known, (window) => window.kernelMemory?.heapGrows ?? 0)} times the heap grew`,
      `${whileMarking} waits of 1 ms and longer (mmap, munmap, reclaim) ended while the collector was marking`,
      ...(stalled.length > 0
        ? [
            `in ${percent(share(explained, stalled))} of the ${stalled.length} windows with a stall over its limit a call took half of the limit or longer`,
          ]
        : []),
      ...gcEvidence(facts),
    ],
    refutedBy: 'Stalls of the same length in windows without a slow mmap or munmap call.',
  };
};

function longestWaitNs({ kernelMemory }: SignalWindow): number {
  return kernelMemory ? Math.max(kernelMemory.mmap.maxNs, kernelMemory.munmap.maxNs) : 0;
}

function slowCalls({ kernelMemory }: SignalWindow): number {
  return kernelMemory?.slowMmaps ?? 0;
}

function share(part: readonly unknown[], whole: readonly unknown[]): number {
  return whole.length === 0 ? 0 : part.length / whole.length;
}

function sum(windows: readonly SignalWindow[], value: (window: SignalWindow) => number): number {
  return windows.reduce((total, window) => total + value(window), 0);
}
