/** What the container's processes waited for outside of the collector: the kernel's memory management, the network. Pure. */
import type { CountedKind, CountsEvent, HistogramEvent, OomVictimEvent, WaitEvent } from '../../host/probe/index.ts';
import {
  bucketStalls,
  exactStalls,
  type KernelMemory,
  type NetworkLimits,
  type NetworkWaits,
  type StallStats,
  stallStats,
  type WaitStats,
} from '../../model/index.ts';

const verySlowNs = 10_000_000;

/** Events of the container's processes only. */
export interface WaitEvents {
  readonly histograms: readonly HistogramEvent[];
  readonly counts: readonly CountsEvent[];
  readonly waits: readonly WaitEvent[];
  readonly oomVictims: readonly OomVictimEvent[];
}

export function kernelMemory({ histograms, counts, waits, oomVictims }: WaitEvents): KernelMemory {
  const all = (kind: CountedKind): StallStats =>
    stallStats(histograms.filter(({ of }) => of === kind).map(bucketStalls));
  const mmaps = waits.filter(({ on }) => on === 'mmap');
  const memory = waits.filter(({ on }) => on === 'mmap' || on === 'munmap' || on === 'reclaim');
  return {
    mmap: all('mmap'),
    munmap: all('munmap'),
    reclaim: all('reclaim'),
    slowMmaps: mmaps.length,
    verySlowMmaps: mmaps.filter(({ durationNs }) => durationNs >= verySlowNs).length,
    waitsWhileMarking: memory.filter(({ marking }) => marking === true).length,
    heapGrows: counts.reduce((sum, { heapGrows }) => sum + heapGrows, 0),
    mmapFailures: counts.reduce((sum, { mmapFailures }) => sum + mmapFailures, 0),
    oomVictims: oomVictims.length,
  };
}

export function networkWaits(waits: readonly WaitEvent[]): NetworkWaits {
  const of = (kind: keyof NetworkWaits): WaitStats => {
    const ours = waits.filter(({ on }) => on === kind);
    return {
      ...stallStats([exactStalls(ours.map(({ durationNs }) => durationNs))]),
      failed: ours.filter(({ failed }) => failed).length,
    };
  };
  return {
    tlsClient: of('tlsClient'),
    tlsServer: of('tlsServer'),
    openssl: of('openssl'),
    connect: of('connect'),
    read: of('read'),
  };
}

/** Whether a single wait is worth telling: it took longer than memory (10 ms) or the network should, or what was asked for was refused. */
export function isSlow({ on, durationNs, failed }: WaitEvent, limits: NetworkLimits): boolean {
  switch (on) {
    case 'mmap':
    case 'munmap':
    case 'reclaim':
      return failed || durationNs >= verySlowNs;
    case 'connect':
      return failed || durationNs > limits.connectNs;
    case 'tlsClient':
    case 'tlsServer':
    case 'openssl':
      return durationNs > limits.tlsHandshakeNs; // failed ones are other people's scans, or a socket that does not block
    case 'read':
      return false; // how a server looks that waits for its next message
  }
}
