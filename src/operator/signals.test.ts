import { describe, expect, it } from 'vitest';
import { T0, windowAt } from './incidents/testing.ts';
import { SignalStore } from './signals.ts';

describe('the windows that agents report', () => {
  it('are kept in order, and once, however often they are reported', () => {
    const store = new SignalStore();
    for (const endMs of [1000, 2000, 1000, 2000, 3000]) store.add(windowAt(endMs, 0.1, 100));
    expect(store.between('pod-uid', 'robot', T0, T0 + 10_000).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('start anew with a restarted container, whose sequence starts anew', () => {
    const store = new SignalStore();
    store.add(windowAt(5000, 0.1, 100));
    store.add({ ...windowAt(6000, 0.1, 100), seq: 0, containerId: '2' });
    expect(store.latest('pod-uid', 'robot')?.containerId).toBe('2');
  });

  it('are forgotten after ten minutes', () => {
    const store = new SignalStore();
    store.add(windowAt(0, 0.1, 100));
    store.add(windowAt(601_000, 0.1, 100));
    expect(store.between('pod-uid', 'robot', 0, Number.POSITIVE_INFINITY)).toHaveLength(1);
  });

  it('leave their peaks for a day: what a calm time needed at most', () => {
    const store = new SignalStore();
    const hour = 3_600_000;
    const live = (endMs: number, heapLiveBytes: number) => {
      const window = windowAt(endMs, 0.1, 100);
      return { ...window, gc: window.gc && { ...window.gc, heapLiveBytes } };
    };
    for (const [at, bytes] of [
      [0, 900],
      [hour, 500],
      [2 * hour, 300],
    ] as const)
      store.add(live(at, bytes));
    const since = (ms: number) => store.peaks('pod-uid', 'robot', T0 + ms).heapLiveBytes;
    expect([since(0), since(hour / 2), since(1.5 * hour)]).toEqual([900, 500, 300]);
    store.add(live(25 * hour, 100));
    expect(since(0)).toBe(500);
    expect(store.peaks('another', 'robot', 0)).toEqual({ heapLiveBytes: undefined, useBytes: undefined });
  });

  it('of the container silent for longest go first when there are too many', () => {
    const store = new SignalStore();
    for (let i = 0; i < 2001; i++) {
      store.add({ ...windowAt(1000, 0.1, 100), pod: { namespace: 'robots', name: `p${i}`, uid: `u${i}` } });
    }
    expect(store.containers).toBe(2000);
    expect(store.latest('u0', 'robot')).toBeUndefined();
    expect(store.latest('u2000', 'robot')).toBeDefined();
  });
});
