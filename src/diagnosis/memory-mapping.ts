/**
 * The kernel takes long to hand out or take back address space, and the heap grows meanwhile: whoever allocates waits for the process's
 * memory map, and so does the collector.
 */
import type { SignalWindow } from '../model/index.ts';
import { coincidence } from './coincidence.ts';
import type { CauseCheck } from './evidence.ts';
import { gcEvidence, milliseconds, percent, together } from './words.ts';

const MIN_WINDOWS = 2;
/** A stall is explained by a wait that is a good part of it. */
const PART_OF_STALL = 0.5;

export const memoryMapping: CauseCheck = (facts) => {
  const { recent, broken } = facts;
  const tells = recent.filter((window) => window.kernelMemory !== undefined);
  const slow = tells.filter((window) => longestWaitNs(window) >= 1e6 && slowCalls(window) > 0);
  if (slow.length < MIN_WINDOWS) return undefined;
  const { stalled, share, lift, explains } = coincidence(
    facts,
    tells,
    (window, limitNs) => longestWaitNs(window) >= PART_OF_STALL * limitNs,
  );
  if (!facts.mmapOver && !explains) return undefined;
  const calls = sum(tells, slowCalls);
  const whileMarkingNs = sum(slow, waitedWhileMarkingNs);
  // A collector over its CPU budget may itself be what keeps the memory map busy.
  const ownDoing = broken.has('gcCpuShare') ? 0.6 : 1;
  return {
    cause: 'MemoryMapping',
    summary: `The kernel takes up to ${milliseconds(Math.max(...slow.map(longestWaitNs)))} to map memory for the growing heap.`,
    confidence: together([
      facts.mmapOver ? 0.5 : 0,
      explains ? 0.6 * lift * ownDoing : 0,
      whileMarkingNs >= 1e6 && explains ? 0.2 : 0,
    ]),
    evidence: [
      `${calls} mmap calls of 1 ms and longer in ${slow.length} of ${recent.length} windows, ${sum(tells, (window) => window.kernelMemory?.heapGrows.count ?? 0)} times the heap grew`,
      `${milliseconds(whileMarkingNs)} of the waits in these (mmap, munmap) began while the collector was marking`,
      ...(stalled > 0
        ? [
            `in ${percent(share)} of the ${stalled} windows with a stall over its limit a call took half of the limit or longer`,
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
  return kernelMemory?.mmap.slow ?? 0;
}

function waitedWhileMarkingNs({ kernelMemory }: SignalWindow): number {
  return kernelMemory ? kernelMemory.mmap.whileMarking.sumNs + kernelMemory.munmap.whileMarking.sumNs : 0;
}

function sum(windows: readonly SignalWindow[], value: (window: SignalWindow) => number): number {
  return windows.reduce((total, window) => total + value(window), 0);
}
