import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignalWindow } from '../../model/index.ts';
import { cgroupSample, cycleEvent, pauseEvent, quietSecond } from '../testing/events.ts';
import { unboundedHeapGoal } from './gc-facts.ts';
import type { SeenCycle } from './types.ts';
import { WindowBuilder } from './window-builder.ts';

const subject = { pod: { namespace: 'robots', name: 'dispatch-0', uid: 'u1' }, container: 'robot', containerId: 'c1' };

describe('WindowBuilder', () => {
  test('a quiet second is a window of zeros, without GC facts before the first cycle', () => {
    const window = new WindowBuilder(subject).close(quietSecond({}));
    expect(window).toMatchObject({
      ...subject,
      seq: 0,
      durationMs: 1000,
      endedAt: '2026-01-01T00:00:00.000Z',
      gc: null,
      cgroup: null,
    });
    expect(window.gcStall).toEqual({ count: 0, p50Ns: 0, p99Ns: 0, maxNs: 0, sumNs: 0 });
  });

  test.each([
    { reason: 1, name: 'GC mark termination', capturing: false, counted: 'gcPause' },
    { reason: 2, name: 'GC sweep termination', capturing: true, counted: 'gcPause' },
    { reason: 4, name: 'goroutine profile', capturing: true, counted: 'capturePause' },
    { reason: 5, name: 'goroutine profile cleanup', capturing: true, counted: 'capturePause' },
    { reason: 6, name: 'all goroutines stack trace', capturing: true, counted: 'capturePause' },
    { reason: 7, name: 'read mem stats', capturing: true, counted: 'capturePause' },
    { reason: 10, name: 'start trace', capturing: true, counted: 'capturePause' },
    { reason: 11, name: 'stop trace', capturing: true, counted: 'capturePause' },
    { reason: 4, name: 'goroutine profile by somebody else', capturing: false, counted: 'otherPause', profiling: 1 },
    { reason: 5, name: 'its cleanup', capturing: false, counted: 'otherPause', profiling: 1 },
    { reason: 6, name: 'all stacks for somebody else', capturing: false, counted: 'otherPause', profiling: 1 },
    { reason: 7, name: 'mem stats that the program reads', capturing: false, counted: 'otherPause', profiling: 1 },
    { reason: 10, name: 'start trace by somebody else', capturing: false, counted: 'otherPause', profiling: 1 },
    { reason: 11, name: 'stop trace by somebody else', capturing: false, counted: 'otherPause', profiling: 1 },
    { reason: 3, name: 'write heap dump', capturing: true, counted: 'otherPause' },
    { reason: 8, name: 'AllThreadsSyscall', capturing: true, counted: 'otherPause' },
    { reason: 9, name: 'GOMAXPROCS', capturing: true, counted: 'otherPause' },
    { reason: 99, name: 'a reason we do not know', capturing: true, counted: 'otherPause' },
  ])('pause of reason $reason ($name), capturing: $capturing, counts as $counted', (pause) => {
    const { reason, capturing, counted, profiling = 0 } = pause;
    const window = new WindowBuilder(subject).close(
      quietSecond({ pauses: [pauseEvent({ reason, totalNs: 700 })], capturingAt: () => capturing }),
    );
    const kinds = ['gcPause', 'capturePause', 'otherPause'] as const;
    expect(kinds.filter((kind) => window[kind]?.sumNs === 700)).toEqual([counted]);
    expect(kinds.reduce((sum, kind) => sum + (window[kind]?.count ?? 0), 0)).toBe(1);
    expect(window.gcStall.count).toBe(window.gcPause.count);
    expect(window.otherPause?.profiling).toBe(profiling);
  });

  test('the collector’s pauses are told by reason, and how much of each went by until all goroutines stood still', () => {
    const begin = (stoppingNs: number, totalNs: number) => pauseEvent({ reason: 2, stoppingNs, totalNs });
    const end = (stoppingNs: number, totalNs: number) => pauseEvent({ reason: 1, stoppingNs, totalNs });
    const window = new WindowBuilder(subject).close(
      quietSecond({ pauses: [begin(10, 30), end(5, 50), begin(90, 100), pauseEvent({ reason: 7, stoppingNs: 999 })] }),
    );
    expect(window.gcStopping).toEqual({ count: 3, p50Ns: 10, p99Ns: 90, maxNs: 90, sumNs: 105 });
    expect(window.gcPauseByReason?.sweepTermination).toEqual({
      count: 2,
      p99Ns: 100,
      maxNs: 100,
      sumNs: 130,
      stoppingP99Ns: 90,
      stoppingMaxNs: 90,
      stoppingSumNs: 100,
    });
    expect(window.gcPauseByReason?.markTermination).toMatchObject({ count: 1, sumNs: 50, stoppingSumNs: 5 });
  });

  test('a program that does not tell how long stopping took has none, and the window says so', () => {
    const pauses = [pauseEvent({ reason: 1, stoppingNs: null, totalNs: 50 })];
    const window = new WindowBuilder(subject).close(quietSecond({ pauses }));
    expect(window).not.toHaveProperty('gcStopping');
    expect(window.missing).toEqual(['gcStopping']);
    expect(window.gcPauseByReason?.markTermination).toMatchObject({ count: 1, sumNs: 50 });
  });

  test('cycles are counted by what triggered them; the longest one and the longest mark phase are told', () => {
    const phased = (over: Partial<SeenCycle>): SeenCycle => ({
      ...cycleEvent({}),
      trigger: 'heap',
      sweepTerminationNs: 1,
      concurrentMarkNs: 1,
      markTerminationNs: 1,
      ...over,
    });
    const seen = [
      phased({ markStartNs: 100, atNs: 400, concurrentMarkNs: 250 }),
      phased({ trigger: 'forced', markStartNs: 500, atNs: 1_000, concurrentMarkNs: null }),
      phased({ trigger: null, markStartNs: 1_100, atNs: 1_200 }),
    ];
    const { gc } = new WindowBuilder(subject).close(quietSecond({ cycles: [cycleEvent({})], phased: seen }));
    expect(gc).toMatchObject({ triggers: { heap: 1, time: 0, forced: 1 }, cycleMaxNs: 500, markMaxNs: 250 });
  });

  test('gcStall is one distribution over pauses and assists', () => {
    const window = new WindowBuilder(subject).close(
      quietSecond({
        pauses: [pauseEvent({ totalNs: 1_000 }), pauseEvent({ totalNs: 9_000_000 })],
        histograms: [
          {
            type: 'histogram',
            of: 'assist',
            pid: 1,
            count: 4,
            sumNs: 16_000,
            maxNs: 4_500,
            buckets: [
              [2_000, 1],
              [5_000, 3],
            ],
          },
        ],
      }),
    );
    expect(window.gcAssist).toEqual({ count: 4, p50Ns: 4_500, p99Ns: 4_500, maxNs: 4_500, sumNs: 16_000 });
    expect(window.gcStall).toMatchObject({ count: 6, p99Ns: 9_000_000, maxNs: 9_000_000, sumNs: 9_017_000 });
  });

  test('facts of the last cycle stay when a window has none of its own', () => {
    const builder = new WindowBuilder(subject);
    const cycle = cycleEvent({
      atNs: 5,
      heapMarkedBytes: 7,
      heapGoalBytes: 14,
      lastStackScanBytes: 1,
      globalsScanBytes: 2,
      gcPercent: 50,
      memoryLimitBytes: 99,
    });
    builder.close(quietSecond({ cycles: [cycle] }));
    const { gc } = builder.close(quietSecond({ startNs: 1e9, endNs: 2e9 }));
    expect(gc).toMatchObject({
      cycles: 0,
      cpuShare: 0,
      heapLiveBytes: 7,
      heapGoalBytes: 14,
      rootsBytes: 3,
      gogc: 50,
      goMemLimitBytes: 99,
      gomaxprocs: 2,
    });
  });

  test('GOGC off without a limit reads as the runtime prints it', () => {
    const { gc } = new WindowBuilder(subject).close(
      quietSecond({ cycles: [cycleEvent({ gcPercent: -1, heapGoalBytes: null })] }),
    );
    expect(gc).toMatchObject({ gogc: -1, heapGoalBytes: unboundedHeapGoal, goMemLimitBytes: null });
  });

  test('two processes of a container add up', () => {
    const window = new WindowBuilder(subject).close(
      quietSecond({
        pids: [1, 2],
        pauses: [pauseEvent({ pid: 1, reason: 3 }), pauseEvent({ pid: 2, totalNs: 5 })],
        cycles: [
          cycleEvent({ pid: 1, heapMarkedBytes: 10, dedicatedNs: 1e8 }),
          cycleEvent({ pid: 2, heapMarkedBytes: 20, dedicatedNs: 1e8 }),
        ],
      }),
    );
    expect(window.gcPause).toMatchObject({ count: 1, sumNs: 5 });
    expect(window.gc).toMatchObject({ cycles: 2, heapLiveBytes: 30, cpuShare: (2e8 + 10) / 2e9 });
  });

  test('a window that could not be made leaves a gap in seq; a primed stretch does not', () => {
    const builder = new WindowBuilder(subject);
    builder.prime(
      quietSecond({
        endNs: 1e8,
        cycles: [cycleEvent({ heapMarkedBytes: 3 })],
        cgroup: cgroupSample({ memoryCurrentBytes: 1 }),
      }),
    );
    const first = builder.close(quietSecond({ cgroup: cgroupSample({ memoryCurrentBytes: 1 }) }));
    builder.skip();
    const second = builder.close(quietSecond({}));
    expect([first.seq, second.seq]).toEqual([0, 2]);
    expect(first.gc?.heapLiveBytes).toBe(3);
    expect(first.cgroup?.missing).toEqual([]);
  });

  test('the first window since observation began says since when, however often it begins', () => {
    const builder = new WindowBuilder(subject);
    const second = (endNs: number) => builder.close(quietSecond({ endNs, endedAtMs: 1_700_000_000_000 + endNs / 1e6 }));
    builder.begin(5e8, { cgroup: null });
    expect([second(15e8), second(25e8)].map(({ observedFrom }) => observedFrom)).toEqual([
      '2023-11-14T22:13:20.500Z',
      undefined,
    ]);
    builder.skip();
    builder.begin(40e8, { cgroup: null });
    expect(second(50e8)).toMatchObject({ seq: 3, observedFrom: '2023-11-14T22:13:24.000Z' });
  });

  test('property: whatever was observed, the window is one that its schema accepts and JSON keeps', () => {
    const nat = fc.nat(2 ** 40);
    const pid = fc.integer({ min: 1, max: 4 });
    const pauses = fc.array(fc.record({ pid, reason: fc.nat(20), startNs: nat, totalNs: nat }));
    const cycles = fc.array(
      fc.record({
        pid,
        atNs: nat,
        assistNs: nat,
        dedicatedNs: nat,
        procs: fc.integer({ min: 1, max: 128 }),
        gcPercent: fc.integer({ min: -1, max: 1000 }),
        heapGoalBytes: fc.option(nat),
        totalAllocBytes: nat,
      }),
    );
    fc.assert(
      fc.property(pauses, cycles, nat, fc.boolean(), (p, c, endNs, capturing) => {
        const window = new WindowBuilder(subject).close(
          quietSecond({
            endNs,
            pids: [1, 2, 3],
            pauses: p.map(pauseEvent),
            cycles: c.map(cycleEvent),
            capturingAt: () => capturing,
          }),
        );
        expect(SignalWindow.parse(JSON.parse(JSON.stringify(window)))).toEqual(window);
        expect(window.gc?.cpuShare ?? 0).toBeLessThanOrEqual(1);
        expect(window.gcStall.count).toBe(window.gcPause.count + window.gcAssist.count);
      }),
    );
  });
});
