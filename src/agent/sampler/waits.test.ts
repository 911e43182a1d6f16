import { describe, expect, test } from 'vitest';
import type { WaitEvent } from '../../host/probe/index.ts';
import { kernelMemory, networkWaits } from './waits.ts';

function wait(on: WaitEvent['on'], durationMs: number, more: Partial<WaitEvent> = {}): WaitEvent {
  const durationNs = durationMs * 1e6;
  return { type: 'wait', on, pid: 1, tid: 1, startNs: 1, durationNs, marking: false, failed: false, ...more };
}

describe('waits for the kernel memory management', () => {
  test('short ones are counted too; long ones apart, and those during a collection', () => {
    const facts = kernelMemory({
      histograms: [
        {
          type: 'histogram',
          of: 'mmap',
          pid: 1,
          count: 3,
          sumNs: 12_002_000,
          maxNs: 12e6,
          buckets: [
            [2_000, 2],
            [12e6, 1],
          ],
        },
        { type: 'histogram', of: 'assist', pid: 1, count: 9, sumNs: 9, maxNs: 1, buckets: [[1, 9]] },
      ],
      counts: [
        { type: 'counts', pid: 1, heapGrows: 2, mmapFailures: 0 },
        { type: 'counts', pid: 2, heapGrows: 1, mmapFailures: 4 },
      ],
      waits: [
        wait('mmap', 12),
        wait('mmap', 1.5, { marking: true }),
        wait('reclaim', 3, { marking: true }),
        wait('read', 9),
      ],
      oomVictims: [{ type: 'oomVictim', pid: 2, atNs: 1 }],
    });
    expect(facts).toMatchObject({ slowMmaps: 2, verySlowMmaps: 1, waitsWhileMarking: 2 });
    expect(facts).toMatchObject({ heapGrows: 3, mmapFailures: 4, oomVictims: 1 });
    expect(facts.mmap).toMatchObject({ count: 3, maxNs: 12e6 });
    expect(facts.reclaim.count).toBe(0);
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
