import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignalName } from '../api/index.ts';
import { stalls, syntheticSpec, syntheticWindows, type WindowOver } from '../model/testing.ts';
import { judge } from './verify.ts';

const policy = syntheticSpec();
/** Values that differ a little from window to window, as real ones do. */
const around = (value: number, seq: number) => value * (1 + ((seq * 7) % 11) / 100);
const share =
  (value: number, more: WindowOver = {}) =>
  (seq: number): WindowOver => ({
    ...more,
    gc: { cpuShare: around(value, seq), cycles: 4, ...more.gc },
  });
const onNode = (cpu: number): WindowOver => ({
  cgroup: { node: { memory: null, io: null, cpu: { some: cpu, full: null } } },
});
const run = (
  before: (seq: number) => WindowOver,
  after: (seq: number) => WindowOver,
  signal: SignalName = 'gcCpuShare',
  count = 30,
) => judge({ before: syntheticWindows(count, before), after: syntheticWindows(count, after, 1000), policy, signal });

describe('judge', () => {
  it('finds a cured signal better, and says by how much', () => {
    const judgement = run(share(0.3), share(0.02));
    expect(judgement.verdict).toBe('Better');
    expect(judgement.reason).toMatch(/median of 30 windows 31.5 % → 2.1 %, p < 0.001/);
  });

  it.each<[string, ReturnType<typeof run>, string, RegExp]>([
    ['still over', run(share(0.3), share(0.3)), 'NotBetter', /still over its limit/],
    ['lower, still over', run(share(0.3), share(0.1)), 'NotBetter', /lower than before, yet still over/],
    [
      'rarely over, but on the whole',
      run(share(0.3), (seq) => share(seq % 5 < 2 ? 0.2 : 0.01)(seq)),
      'NotBetter',
      /yet still over its limit/,
    ],
    ['worse', run(share(0.1), share(0.3)), 'NotBetter', /still over/],
    ['under its limit as before', run(share(0.02), share(0.02)), 'Inconclusive', /not significantly lower/],
    [
      'cured at the cost of memory',
      run(share(0.3), share(0.02, { cgroup: { memoryPressure: { some: 0.3, full: 0 } } })),
      'NotBetter',
      /memoryPressureSome newly over/,
    ],
    ['too few windows', run(share(0.3), share(0.02), 'gcCpuShare', 7), 'Inconclusive', /7 windows before and 7 after/],
    ['lost events', run(share(0.3), share(0.02, { lostEvents: 1 })), 'Inconclusive', /lost in 30 of 30/],
    [
      'fewer robots',
      run(share(0.3), share(0.02, { activeRobots: 100 })),
      'Inconclusive',
      /robots fell from 5000 to 100/,
    ],
    [
      'stalls that nobody saw',
      run(share(0.3, { missing: ['gcStall'] }), share(0.02, { missing: ['gcStall'] }), 'gcStallP99'),
      'Inconclusive',
      /gcStallP99 was not observed in 60 of 60 windows/,
    ],
    [
      'less allocation',
      run(share(0.3), share(0.02, { gc: { allocBytesPerSecond: 1 } })),
      'Inconclusive',
      /Allocation fell from 64.0 MiB\/s/,
    ],
    [
      'judged while the node was busy with others',
      run(share(0.3, onNode(0.3)), share(0.1, onNode(0.95))),
      'Inconclusive',
      /30 windows before and 0 after.* 30 windows after do not count/,
    ],
    [
      'over the limit on a node that was as busy before',
      run(share(0.3, onNode(0.9)), share(0.1, onNode(0.95))),
      'NotBetter',
      /over its limit of 5 %, 10.5 % over the whole stretch/,
    ],
    ['no cycles, expensive', run(share(0.3), share(0.02, { gc: { cycles: 0 } })), 'Inconclusive', /0 GC cycles after/],
  ])('%s', (_, judgement, verdict, reason) => {
    expect(judgement).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
  });

  it('compares what there is of a node as free as before, and tells what it left out', () => {
    const busyForAWhile = (seq: number) => share(seq % 3 === 0 ? 0.2 : 0.02, onNode(seq % 3 === 0 ? 0.95 : 0.3))(seq);
    const judgement = run(share(0.3, onNode(0.3)), busyForAWhile);
    expect(judgement).toMatchObject({ verdict: 'Better', laterMayTell: false });
    expect(judgement.reason).toMatch(/median of 20 windows .* 10 windows after do not count/);
  });

  it('holds the time after a surge against the surge, not against the calm before it', () => {
    const surging = (before: number) => (seq: number) =>
      seq < before ? share(0.02, { gc: { allocBytesPerSecond: 1e6 } })(seq) : share(0.3)(seq);
    expect(run(surging(20), share(0.03))).toMatchObject({ verdict: 'Better' });
    expect(run(surging(25), share(0.03)).verdict).toBe('Inconclusive');
  });

  it('tells what is zero most of the time by how much there is of it', () => {
    const nowAndThen = (some: number) => (seq: number) => ({
      cgroup: { memoryPressure: { some: seq % 5 < 2 ? some : 0, full: 0 } },
    });
    const relieved = run(nowAndThen(0.5), nowAndThen(0), 'memoryPressureSome');
    expect(relieved).toMatchObject({
      verdict: 'Better',
      reason: expect.stringMatching(/median of 30 windows 0 % → 0 %/),
    });
  });

  it('waits for more where too few windows could be compared', () => {
    const judgement = run(share(0.3, onNode(0.3)), share(0.1, onNode(0.95)));
    expect(judgement).toMatchObject({ verdict: 'Inconclusive', laterMayTell: true });
  });

  it('waits for a stretch without a relapse where it is lower and, on the whole, under its limit', () => {
    const relapsed = (last: number) => (seq: number) =>
      share(seq >= 1000 + last - 3 && seq < 1000 + last ? 0.1 : 0.01)(seq);
    const judgement = run(share(0.3), relapsed(20));
    expect(judgement).toMatchObject({ verdict: 'Inconclusive', progress: true, laterMayTell: true });
    expect(judgement.reason).toMatch(
      /lower .* under its limit of 5 %, 2 % .*, yet for a while 3 of 5 windows were over it/,
    );
    const before = syntheticWindows(30, share(0.3));
    const later = syntheticWindows(60, relapsed(20), 1000);
    expect(judge({ before, after: later, policy, signal: 'gcCpuShare' }).verdict).toBe('Better');
  });

  it('accepts that GC all but stopped: that is what a higher GOGC is for', () => {
    expect(run(share(0.3), share(0, { gc: { cycles: 0 } })).verdict).toBe('Better');
  });

  it('counts a window without any GC under watch as zero, not as a gap', () => {
    const silent: WindowOver = { gc: null, gcStall: { count: 0, p50Ns: 0, p99Ns: 0, maxNs: 0, sumNs: 0 } };
    expect(run(share(0.3), () => silent).verdict).toBe('Better');
  });

  it('judges stalls by their pooled P99', () => {
    const stalled =
      (ms: number) =>
      (seq: number): WindowOver => ({ gcStall: stalls(around(ms, seq), 200), gc: { cycles: 4 } });
    expect(run(stalled(50), stalled(5), 'gcStallP99').verdict).toBe('Better');
    expect(run(stalled(50), stalled(40), 'gcStallP99')).toMatchObject({ verdict: 'NotBetter', progress: true });
  });

  describe('of a signal that the team set a limit for', () => {
    const set = (thresholds: Record<string, unknown>, signal: SignalName, before: WindowOver, after: WindowOver) =>
      judge({
        before: syntheticWindows(30, () => before),
        after: syntheticWindows(30, () => after, 1000),
        policy: syntheticSpec({ thresholds }),
        signal,
      });
    const cycles = (count: number): WindowOver => ({ gc: { cycles: count } });
    const killed = (oomKills: number): WindowOver => ({ gc: { cycles: 4 }, cgroup: { oomKills } });

    it.each<[string, ReturnType<typeof judge>, string, RegExp]>([
      ['rate', set({ gcRate: 5 }, 'gcRate', cycles(20), cycles(4)), 'Better', /20\/s → 4\/s/],
      [
        'rate still over',
        set({ gcRate: 5 }, 'gcRate', cycles(20), cycles(9)),
        'NotBetter',
        /lower than before, yet still over/,
      ],
      [
        'size',
        set({ heapLive: '60Mi' }, 'heapLive', cycles(4), { gc: { cycles: 4, heapLiveBytes: 32 * 2 ** 20 } }),
        'Better',
        /64 MiB → 32 MiB/,
      ],
      ['number of accidents', set({ oomKills: 0 }, 'oomKills', killed(1), killed(0)), 'Better', /1 → 0/],
      [
        'other signal that breaks now',
        set({ oomKills: 0, gcRate: 5 }, 'gcRate', cycles(20), killed(1)),
        'NotBetter',
        /oomKills newly over/,
      ],
      [
        'longest pause',
        set(
          { gcPauseMax: '5ms' },
          'gcPauseMax',
          { gcPause: stalls(9), ...cycles(4) },
          { gcPause: stalls(2), ...cycles(4) },
        ),
        'Better',
        /9 ms → 2 ms/,
      ],
      [
        'limit that is gone',
        set({}, 'gcRate', cycles(20), cycles(4)),
        'Inconclusive',
        /sets no limit for gcRate any more/,
      ],
      [
        'part of windows that nobody saw',
        set({ reclaimStall: '5ms' }, 'reclaimStall', { missing: ['kernelMemory.reclaimMemcg'] }, cycles(4)),
        'Inconclusive',
        /reclaimStall was not observed in 30 of 60 windows/,
      ],
    ])('judges a %s', (_, judgement, verdict, reason) => {
      expect(judgement).toMatchObject({ verdict, reason: expect.stringMatching(reason) });
    });
  });

  it('compares stretches of equal length, the latest ones', () => {
    const before = syntheticWindows(100, (seq) => share(seq < 80 ? 0.01 : 0.3)(seq));
    const after = syntheticWindows(20, share(0.02), 1000);
    expect(judge({ before, after, policy, signal: 'gcCpuShare' }).reason).toContain('31.5 %');
  });

  it('never finds better what is in breach, nor what it compares with itself', () => {
    const levels = fc.double({ min: 0.001, max: 0.6, noNaN: true });
    fc.assert(
      fc.property(levels, levels, (from, to) => {
        const { verdict } = run(share(from), share(to));
        if (verdict === 'Better') {
          expect(to).toBeLessThanOrEqual(0.05);
          expect(to).toBeLessThan(from);
        }
        expect(run(share(from), share(from)).verdict).not.toBe('Better');
      }),
      { numRuns: 50 },
    );
  });
});
