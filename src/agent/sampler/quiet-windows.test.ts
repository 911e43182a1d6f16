/** A quiet container's windows are made of what stood still and of constants: they must say what windows made anew would say. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CgroupSample, NodePressure, Pressure } from '../../host/index.ts';
import type { HistogramEvent } from '../../host/probe/index.ts';
import { SignalWindow, WindowRing } from '../../model/index.ts';
import { cgroupSample, cycleEvent, pauseEvent, quietSecond } from '../testing/events.ts';
import { kernelMemory, networkWaits } from './waits.ts';
import { type Observed, WindowBuilder } from './window-builder.ts';

const subject = { pod: { namespace: 'robots', name: 'quiet-0', uid: 'u1' }, container: 'robot', containerId: 'c1' };
const second = 1e9;

const line = (totalNs: number) => ({ avg10: totalNs / 1e12, avg60: 0, avg300: 0, totalNs });
const pressures: Pressure[] = [0, 2e6, 9e8].map((ns) => ({ some: line(ns), full: ns === 2e6 ? null : line(ns / 2) }));
const samples: CgroupSample[] = pressures.flatMap((memory, i) =>
  [1, 2].map((slowAtMs) =>
    cgroupSample({
      memoryCurrentBytes: 1000 + i,
      slowAtMs: slowAtMs + i,
      pressure: { memory, cpu: memory, io: null },
      events: { low: null, high: i, max: i, oom: null, oomKill: i, oomGroupKill: null },
      cpu: { usageNs: i * 1e8, nrPeriods: i, nrThrottled: 0, throttledNs: 0 },
      missing: i === 2 ? [{ name: 'memory.high', problem: 'ENOENT' }] : [],
    }),
  ),
);
const nodes: NodePressure[] = pressures.map((memory) => ({ memory, cpu: memory, io: null }));
const missing = [[], ['gcStopping'], ['kernelMemory', 'network'], ['kernelMemory.mmap']];

/** A second of two in which little happens; mostly nothing. Objects of the pools come again as they are, as those of kept files do. */
const stretch = fc.record({
  happens: fc.constantFrom('nothing', 'nothing', 'nothing', 'a cycle', 'a heap dump', 'mmap', 'lost'),
  cgroup: fc.option(fc.constantFrom(...samples)),
  node: fc.constantFrom(...nodes),
  missing: fc.constantFrom(...missing),
  pids: fc.constantFrom([1], [1, 2], [2]),
  allocates: fc.boolean(),
});
type Stretch = typeof stretch extends fc.Arbitrary<infer T> ? T : never;

const mmap: HistogramEvent = {
  type: 'histogram',
  of: 'mmap',
  pid: 1,
  count: 1,
  sumNs: 5,
  maxNs: 5,
  buckets: [[5, 1]],
  slow: 0,
  verySlow: 0,
  whileMarking: { count: 0, sumNs: 0 },
};

function observed({ happens, allocates, pids, ...rest }: Stretch, index: number): Observed {
  const startNs = index * second;
  const pid = pids[0] ?? 0;
  const at = (ns: number) => ({ pid, startNs: startNs + ns, totalNs: 1000 + index, stoppingNs: 10 });
  const cycle = cycleEvent({ pid, atNs: startNs + 500, procs: 2, dedicatedNs: 1e6, heapMarkedBytes: 4e6 + index });
  return quietSecond({
    ...rest,
    pids,
    startNs,
    endNs: startNs + second,
    endedAtMs: Date.UTC(2026, 0, 1) + index * 1000,
    heaps: new Map(pids.map((each) => [each, { totalAllocBytes: allocates ? index * 4096 : 0 }])),
    ...(happens === 'a cycle'
      ? { pauses: [pauseEvent({ reason: 2, ...at(100) }), pauseEvent({ reason: 1, ...at(400) })], cycles: [cycle] }
      : {}),
    ...(happens === 'a heap dump' ? { pauses: [pauseEvent({ reason: 3, ...at(100) })] } : {}),
    ...(happens === 'mmap' ? { histograms: [{ ...mmap, pid }] } : {}),
    ...(happens === 'lost' ? { lostEvents: 2 } : {}),
  });
}

/** No object of it was ever seen before. */
function anew({ capturingAt, ...rest }: Observed): Observed {
  return { ...structuredClone(rest), capturingAt };
}

describe('windows of quiet containers', () => {
  test('property: what is the same as before, and is not looked at again, is what it was', () => {
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 30 }), (stretches) => {
        const builders = [new WindowBuilder(subject), new WindowBuilder(subject)] as const;
        const ring = new WindowRing(100);
        const windows = stretches.map((each, index) => {
          const one = builders[0].close(observed(each, index));
          const afresh = builders[1].close(anew(observed(each, index)));
          expect(one).toEqual(afresh);
          expect(SignalWindow.parse(JSON.parse(JSON.stringify(one)))).toEqual(one);
          ring.push(one);
          return afresh;
        });
        expect(ring.all()).toEqual(windows);
      }),
    );
  });

  test('waits of which none was counted are those of which there is no histogram', () => {
    const of = [
      'mmap',
      'munmap',
      'reclaimDirect',
      'reclaimMemcg',
      'tlsClient',
      'tlsServer',
      'openssl',
      'connect',
      'read',
    ] as const;
    const empty = of.map((each): HistogramEvent => ({ ...mmap, of: each, count: 0, sumNs: 0, maxNs: 0, buckets: [] }));
    const nothing = { histograms: [], counts: [] };
    expect(kernelMemory(nothing)).toEqual(kernelMemory({ ...nothing, histograms: empty }));
    expect(networkWaits(nothing)).toEqual(networkWaits({ ...nothing, histograms: empty }));
  });

  test('hold the same objects from one to the next', () => {
    const builder = new WindowBuilder(subject);
    const still = { cgroup: samples[0] ?? null, node: nodes[0] ?? null };
    const [, first, next] = [0, 1, 2].map((index) =>
      builder.close(quietSecond({ ...still, startNs: index * second, endNs: (index + 1) * second })),
    );
    for (const part of ['gcPause', 'gcStall', 'otherPause', 'gcPauseByReason', 'kernelMemory', 'network'] as const)
      expect(next?.[part]).toBe(first?.[part]);
    for (const part of ['memoryPressure', 'memoryPressureAverages', 'events', 'missing', 'node'] as const)
      expect(next?.cgroup?.[part]).toBe(first?.cgroup?.[part]);
  });
});
