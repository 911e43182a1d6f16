import { describe, expect, test } from 'vitest';
import type { CountsEvent, HistogramEvent, WaitEvent } from '../../host/probe/index.ts';
import { DEFAULT_NETWORK_LIMITS } from '../../model/index.ts';
import { isSlow, kernelMemory, networkWaits } from './waits.ts';

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
    untoldWaits: never,
    untoldMemoryWaits: never,
    untimedWaits: never,
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
  const counted = (
    of: HistogramEvent['of'],
    pid: number,
    buckets: [number, number][],
    failed?: number,
  ): HistogramEvent => ({
    type: 'histogram',
    of,
    pid,
    count: buckets.reduce((sum, [, n]) => sum + n, 0),
    sumNs: buckets.reduce((sum, [ns, n]) => sum + ns * n, 0),
    maxNs: buckets.at(-1)?.[0] ?? 0,
    buckets,
    ...(failed === undefined ? {} : { failed }),
  });

  test('each phase by itself, short ones too, of all processes, with what failed', () => {
    const facts = networkWaits({
      histograms: [
        counted(
          'tlsClient',
          1,
          [
            [20e6, 98],
            [600e6, 1],
          ],
          3,
        ),
        counted('tlsClient', 2, [[700e6, 1]], 1),
        counted('connect', 1, [[50_000, 5]], 5),
        counted('mmap', 1, [[5e6, 1]]),
      ],
      counts: [],
    });
    expect(facts.tlsClient).toMatchObject({ count: 100, p50Ns: 20e6, p99Ns: 600e6, maxNs: 700e6, failed: 4 });
    expect(facts.connect).toMatchObject({ count: 5, p50Ns: 50_000, sumNs: 250_000, failed: 5 });
    expect([facts.tlsServer.count, facts.openssl.count, facts.read.count]).toEqual([0, 0, 0]);
    expect(facts).not.toHaveProperty('untold');
    expect(facts).not.toHaveProperty('untimed');
  });

  test('what was too much to be told or timed is said', () => {
    const told = [1, 2].map((pid) =>
      counts(pid, {
        untoldWaits: { count: 10 * pid, whileMarking: 0 },
        untoldMemoryWaits: { count: 5 * pid, whileMarking: pid },
        untimedWaits: { count: pid, whileMarking: 0 },
      }),
    );
    expect(networkWaits({ histograms: [], counts: told })).toMatchObject({ untold: 30, untimed: 3 });
    expect(kernelMemory({ histograms: [], counts: told })).toMatchObject({ untold: 15 });
    expect(kernelMemory({ histograms: [], counts: [] })).not.toHaveProperty('untold');
  });
});

describe('a wait worth telling', () => {
  test.each<[string, WaitEvent, boolean]>([
    ['a connection refused at once', wait('connect', 15, { failed: true }), false],
    ['the later of two addresses tried at once, given up', wait('connect', 320, { failed: true }), false],
    ['a connection given up after a while', wait('connect', 1200, { failed: true }), true],
    ['a connection that took its time, and came', wait('connect', 1200), false],
    ['one that took longer than it may', wait('connect', 3100), true],
    ['a handshake within its limit', wait('tlsClient', 400), false],
    ['a handshake beyond it', wait('openssl', 600), true],
    ['a handshake that failed soon', wait('tlsServer', 30, { failed: true }), false],
    ['mmap refused', wait('mmap', 1, { failed: true }), true],
    ['reclaim of 12 ms', wait('reclaimMemcg', 12), true],
    ['reclaim of 2 ms', wait('reclaimMemcg', 2), false],
    ['a read of any length', wait('read', 60_000), false],
  ])('%s', (_, event, told) => {
    expect(isSlow(event, DEFAULT_NETWORK_LIMITS)).toBe(told);
  });
});
