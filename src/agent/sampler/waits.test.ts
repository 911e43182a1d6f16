import { describe, expect, test } from 'vitest';
import type { CountsEvent, HistogramEvent, WaitEvent } from '../../host/probe/index.ts';
import { kernelMemory, networkWaits } from './waits.ts';

function wait(on: WaitEvent['on'], durationMs: number, more: Partial<WaitEvent> = {}): WaitEvent {
  const durationNs = durationMs * 1e6;
  return { type: 'wait', on, pid: 1, tid: 1, startNs: 1, durationNs, marking: false, failed: false, ...more };
}

function histogram(of: HistogramEvent['of'], over: Partial<HistogramEvent> = {}): HistogramEvent {
  const lengths = { count: 3, sumNs: 12_002_000, maxNs: 12e6 };
  return {
    ...{ type: 'histogram', of, pid: 1, ...lengths },
    buckets: [
      [2_000, 2],
      [12e6, 1],
    ],
    ...over,
  };
}

function counts(pid: number, over: Partial<CountsEvent>): CountsEvent {
  const never = { count: 0, whileMarking: 0 };
  const none = {
    heapGrows: never,
    mmapFailures: never,
    allocationFailures: never,
    oomVictims: never,
    lostEvents: never,
  };
  return { type: 'counts', pid, ...none, ...over };
}

describe('waits for the kernel memory management', () => {
  test('each kind by itself: short ones are counted too, long ones and those during a collection apart', () => {
    const facts = kernelMemory({
      histograms: [
        histogram('mmap', { slow: 1, verySlow: 1, whileMarking: { count: 2, sumNs: 12_001_000 } }),
        histogram('mmap', { pid: 2, slow: 1, verySlow: 0, whileMarking: { count: 1, sumNs: 1_000 } }),
        histogram('reclaimMemcg', { slow: 1, verySlow: 1, whileMarking: { count: 0, sumNs: 0 } }),
        histogram('assist'),
      ],
      counts: [],
    });
    expect(facts.mmap).toMatchObject({ count: 6, maxNs: 12e6, slow: 2, verySlow: 1 });
    expect(facts.mmap.whileMarking).toEqual({ count: 3, sumNs: 12_002_000 });
    expect(facts.reclaimMemcg).toMatchObject({ count: 3, slow: 1, whileMarking: { count: 0 } });
    expect([facts.munmap.count, facts.reclaimDirect.count]).toEqual([0, 0]);
  });

  test('what happens at one moment adds up over processes, with how much of it during a collection', () => {
    const facts = kernelMemory({
      histograms: [],
      counts: [
        counts(1, { heapGrows: { count: 2, whileMarking: 1 } }),
        counts(2, {
          heapGrows: { count: 1, whileMarking: 1 },
          mmapFailures: { count: 4, whileMarking: 0 },
          allocationFailures: { count: 5, whileMarking: 1 },
          oomVictims: { count: 1, whileMarking: 0 },
        }),
      ],
    });
    expect(facts).toMatchObject({
      heapGrows: { count: 3, whileMarking: 2 },
      mmapFailures: { count: 4, whileMarking: 0 },
      allocationFailures: { count: 5, whileMarking: 1 },
      oomVictims: { count: 1, whileMarking: 0 },
    });
  });
});

describe('waits on the network', () => {
  test('each phase by itself, with what failed', () => {
    const facts = networkWaits([
      wait('tlsClient', 600),
      wait('tlsClient', 20, { failed: true }),
      wait('connect', 3100, { failed: true, peer: '192.0.2.1:443' }),
      wait('mmap', 5),
    ]);
    expect(facts.tlsClient).toMatchObject({ count: 2, maxNs: 600e6, failed: 1 });
    expect(facts.connect).toMatchObject({ count: 1, p50Ns: 3100e6, failed: 1 });
    expect([facts.tlsServer.count, facts.openssl.count, facts.read.count]).toEqual([0, 0, 0]);
  });
});
