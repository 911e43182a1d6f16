import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveHeap, liveHeapTrend } from './live-heap.ts';
import { syntheticWindow } from './testing.ts';
import type { SignalWindow } from './window.ts';

const growing = (perSecond: number, noise: (seq: number) => number = () => 0) =>
  Array.from({ length: 60 }, (_, seq) =>
    syntheticWindow(seq, {
      gc: { cycles: 1, heapLiveBytes: 100e6 + perSecond * seq + noise(seq), allocBytesPerSecond: 2e6 },
    }),
  );

describe('the live heap over windows', () => {
  it('rises as it rises, with the allocation beside it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (perSecond) => {
        const trend = liveHeapTrend(growing(perSecond));
        expect(trend?.liveBytesPerSecond.perSecond).toBeCloseTo(perSecond, 0);
        expect(trend?.allocBytesPerSecond).toBeCloseTo(2e6, -1);
        expect(trend).toMatchObject({ cycles: 60, spanSeconds: 59 });
      }),
    );
  });

  it('has an interval around it that holds 0 where nothing but noise moves it', () => {
    const slope = liveHeapTrend(growing(0, (seq) => ((seq * 7919) % 13) * 1e5))?.liveBytesPerSecond;
    expect(slope?.low).toBeLessThan(0);
    expect(slope?.high).toBeGreaterThan(0);
    const rising = liveHeapTrend(growing(3e5, (seq) => ((seq * 7919) % 13) * 1e5))?.liveBytesPerSecond;
    expect(rising?.low).toBeGreaterThan(0);
  });

  it('counts only windows in which a cycle ended, of the processes there are now', () => {
    const idle: SignalWindow[] = [0, 1, 2].map((seq) => syntheticWindow(seq, { gc: { cycles: 0 } }));
    expect(liveHeapTrend([])).toBeNull();
    expect(liveHeapTrend(idle)).toBeNull();
    const before = growing(5e6).map((window) => ({ ...window, pids: [4711] }));
    const since = Array.from({ length: 10 }, (_, i) => syntheticWindow(60 + i, { gc: { heapLiveBytes: 50e6 } }));
    expect(liveHeapTrend([...before, ...since])?.liveBytesPerSecond.perSecond).toBe(0);
  });

  it('is kept in few points, of the last five minutes, with the same slope', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (perSecond) => {
        const heap = new LiveHeap();
        for (let seq = 0; seq < 1200; seq++) {
          heap.observe(
            syntheticWindow(seq, {
              gc: { heapLiveBytes: 2e9 + perSecond * seq, allocBytesPerSecond: seq < 600 ? 0 : 2e6 },
            }),
          );
        }
        const trend = heap.trend();
        expect(trend?.cycles).toBeLessThanOrEqual(61);
        expect(trend?.spanSeconds).toBeGreaterThan(290);
        expect(trend?.spanSeconds).toBeLessThanOrEqual(300);
        expect(trend?.liveBytesPerSecond.perSecond).toBeCloseTo(perSecond, 0);
        expect(trend?.allocBytesPerSecond).toBeCloseTo(2e6, -1);
      }),
      { numRuns: 20 },
    );
  });

  it('begins anew with another process', () => {
    const heap = new LiveHeap();
    for (let seq = 0; seq < 60; seq++) heap.observe(syntheticWindow(seq, { gc: { heapLiveBytes: 1e6 * seq } }));
    expect(heap.trend()?.liveBytesPerSecond.perSecond).toBeCloseTo(1e6, 0);
    heap.observe(syntheticWindow(60, { pids: [4711] }));
    expect(heap.trend()).toBeNull();
  });
});
