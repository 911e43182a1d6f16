/** What the container's processes waited for outside of the collector: the kernel's memory management, the network. Pure. */
import type { CountsEvent, HistogramEvent, MemoryWaitKind, NetworkKind, WaitEvent } from '../../host/probe/index.ts';
import {
  bucketStalls,
  type KernelMemory,
  type MemoryWaits,
  type NetworkLimits,
  type NetworkWaits,
  type Occurrences,
  stallStats,
  type WaitStats,
} from '../../model/index.ts';

const verySlowNs = 10_000_000;

/** Events of the container's processes only. */
export interface CountedWaits {
  readonly histograms: readonly HistogramEvent[];
  readonly counts: readonly CountsEvent[];
}

export function kernelMemory(counted: CountedWaits): KernelMemory {
  return isNothing(counted) ? noKernelMemory : countedKernelMemory(counted);
}

function isNothing({ histograms, counts }: CountedWaits): boolean {
  return histograms.length === 0 && counts.length === 0;
}

function countedKernelMemory({ histograms, counts }: CountedWaits): KernelMemory {
  const waits = (kind: MemoryWaitKind): MemoryWaits => memoryWaits(histograms.filter(({ of }) => of === kind));
  const occurrences = (what: Exclude<keyof CountsEvent, 'type' | 'pid'>): Occurrences => ({
    count: sumOf(counts, (event) => event[what].count),
    whileMarking: sumOf(counts, (event) => event[what].whileMarking),
  });
  const untold = occurrences('untoldMemoryWaits').count;
  return {
    ...(untold > 0 ? { untold } : {}),
    mmap: waits('mmap'),
    munmap: waits('munmap'),
    reclaimDirect: waits('reclaimDirect'),
    reclaimMemcg: waits('reclaimMemcg'),
    heapGrows: occurrences('heapGrows'),
    mmapFailures: occurrences('mmapFailures'),
    allocationFailures: occurrences('allocationFailures'),
    oomVictims: occurrences('oomVictims'),
  };
}

function memoryWaits(histograms: readonly HistogramEvent[]): MemoryWaits {
  return histograms.length === 0 ? noMemoryWaits : countedMemoryWaits(histograms);
}

function countedMemoryWaits(histograms: readonly HistogramEvent[]): MemoryWaits {
  return {
    ...stallStats(histograms.map(bucketStalls)),
    slow: sumOf(histograms, ({ slow }) => slow),
    verySlow: sumOf(histograms, ({ verySlow }) => verySlow),
    whileMarking: {
      count: sumOf(histograms, ({ whileMarking }) => whileMarking?.count),
      sumNs: sumOf(histograms, ({ whileMarking }) => whileMarking?.sumNs),
    },
  };
}

function sumOf<T>(list: readonly T[], value: (item: T) => number | undefined): number {
  return list.reduce((sum, item) => sum + (value(item) ?? 0), 0);
}

export function networkWaits(counted: CountedWaits): NetworkWaits {
  return isNothing(counted) ? noNetworkWaits : countedNetworkWaits(counted);
}

function waitStats(histograms: readonly HistogramEvent[]): WaitStats {
  return {
    ...stallStats(histograms.map(bucketStalls)),
    failed: sumOf(histograms, ({ failed }) => failed),
  };
}

function countedNetworkWaits({ histograms, counts }: CountedWaits): NetworkWaits {
  const of = (kind: NetworkKind): WaitStats => {
    const ours = histograms.filter((histogram) => histogram.of === kind);
    return ours.length === 0 ? noWaits : waitStats(ours);
  };
  const untold = sumOf(counts, ({ untoldWaits }) => untoldWaits.count);
  const untimed = sumOf(counts, ({ untimedWaits }) => untimedWaits.count);
  return {
    ...(untold > 0 ? { untold } : {}),
    ...(untimed > 0 ? { untimed } : {}),
    tlsClient: of('tlsClient'),
    tlsServer: of('tlsServer'),
    openssl: of('openssl'),
    connect: of('connect'),
    read: of('read'),
  };
}

// Of most windows: one object for all of them.
const nothing: CountedWaits = { histograms: [], counts: [] };
const noMemoryWaits = countedMemoryWaits([]);
const noWaits = waitStats([]);
const noKernelMemory = countedKernelMemory(nothing);
const noNetworkWaits = countedNetworkWaits(nothing);

/**
 * Of two addresses of a host that are tried at the same time, the connection to the one that answers later is given up: that looks like a
 * failure, and is over within this time.
 */
const raceNs = 1_000_000_000;

/** Whether a single wait is worth telling: it took longer than memory (10 ms) or the network should, or what was asked for was refused. */
export function isSlow({ on, durationNs, failed }: WaitEvent, limits: NetworkLimits): boolean {
  switch (on) {
    case 'mmap':
    case 'munmap':
    case 'reclaimDirect':
    case 'reclaimMemcg':
      return failed || durationNs >= verySlowNs;
    case 'connect':
      return durationNs > limits.connectNs || (failed && durationNs > raceNs);
    case 'tlsClient':
    case 'tlsServer':
    case 'openssl':
      return durationNs > limits.tlsHandshakeNs; // failed ones are other people's scans, or a socket that does not block
    case 'read':
      return false; // how a server looks that waits for its next message
  }
}
