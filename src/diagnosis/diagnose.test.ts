import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveThresholds } from '../model/index.ts';
import { stalls, syntheticSpec, syntheticWindows, type WindowOver } from '../model/testing.ts';
import { diagnose } from './diagnose.ts';
import type { Evidence } from './evidence.ts';

const MIB = 2 ** 20;
const spec = syntheticSpec();
const thresholds = deriveThresholds(spec);
const evidenceOf = (count: number, over: (seq: number) => WindowOver, more: Partial<Evidence> = {}): Evidence => ({
  windows: syntheticWindows(count, over),
  spec,
  thresholds,
  ...more,
});
const first = (evidence: Evidence) => diagnose(evidence)[0];

/** GOGC 10 under 10 000 robots: some 30 % of the CPU goes to GC. */
const busy: WindowOver = {
  activeRobots: 10_000,
  gcStall: stalls(40, 200),
  gc: { gogc: 10, cpuShare: 0.3, cycles: 8, heapLiveBytes: 64 * MIB, heapGoalBytes: 70 * MIB },
};

describe('GOGC too low', () => {
  it('is named with the value to arrive at', () => {
    const finding = first(evidenceOf(20, () => busy));
    expect(finding).toMatchObject({ cause: 'GogcTooLow', remedy: 'Raise GOGC from 10 towards 100.' });
    expect(finding?.confidence).toBeGreaterThan(0.8);
    expect(finding?.evidence.join()).toContain('GC CPU share 30 %');
  });

  it('gains confidence from a CPU profile that shows GC', () => {
    const without = first(evidenceOf(20, () => busy))?.confidence ?? 1;
    const withProfile = first(evidenceOf(20, () => busy, { capture: { gcCpuShareOfProfile: 0.4 } }))?.confidence;
    expect(withProfile).toBeGreaterThan(without);
  });

  it('works with an unknown number of robots: the base is what every policy asks for', () => {
    const finding = first(evidenceOf(20, () => ({ ...busy, activeRobots: null })));
    expect(finding).toMatchObject({ cause: 'GogcTooLow', remedy: 'Raise GOGC from 10 towards 50.' });
  });

  it('is not it where GOGC is at the formula already: then allocation is, and nothing of ours helps', () => {
    const finding = first(evidenceOf(20, () => ({ ...busy, gc: { ...busy.gc, gogc: 100 } })));
    expect(finding).toMatchObject({ cause: 'AllocationBound' });
    expect(finding?.remedy).toBeUndefined();
  });

  it('is not it where a higher GOGC would not fit under the memory limit', () => {
    const evidence = evidenceOf(20, () => ({ ...busy, cgroup: { memoryLimitBytes: 76 * MIB } }));
    expect(diagnose(evidence).map(({ cause }) => cause)).not.toContain('GogcTooLow');
  });

  it('is not it where the memory limit triggers the cycles', () => {
    const evidence = evidenceOf(20, () => ({ ...busy, gc: { ...busy.gc, limitDrivenCycles: 6 } }));
    expect(diagnose(evidence).map(({ cause }) => cause)).not.toContain('GogcTooLow');
  });

  it('stays first where a collection that runs too often uses up the CPU quota', () => {
    const evidence = evidenceOf(20, () => ({ ...busy, cgroup: { throttledShare: 0.5, cpuLimitCores: 1 } }));
    expect(diagnose(evidence).map(({ cause }) => cause)).toEqual(['GogcTooLow', 'CpuThrottling']);
  });
});

describe('memory limit too tight', () => {
  const pressed: WindowOver = { cgroup: { memoryPressure: { some: 0.3, full: 0.05 }, memoryCurrentBytes: 500 * MIB } };

  it('is named under pressure near the limit', () => {
    expect(first(evidenceOf(20, () => pressed))).toMatchObject({ cause: 'MemoryLimitTooTight' });
  });

  it('is not it under pressure far from the limit', () => {
    const evidence = evidenceOf(20, () => ({ cgroup: { ...pressed.cgroup, memoryCurrentBytes: 100 * MIB } }));
    expect(diagnose(evidence)).toEqual([]);
  });

  it.each<[string, WindowOver]>([
    [
      'cycles that the limit drives',
      { gcStall: stalls(40), gc: { ...busy.gc, limitDrivenCycles: 7, goMemLimitBytes: 80 * MIB } },
    ],
    ['a live heap that fills GOMEMLIMIT', { gcStall: stalls(40), gc: { ...busy.gc, goMemLimitBytes: 80 * MIB } }],
    ['OOM kills', { ...busy, cgroup: { oomKills: 1 } }],
  ])('outranks GOGC where there are %s', (_, over) => {
    expect(first(evidenceOf(20, () => over))?.cause).toBe('MemoryLimitTooTight');
  });
});

describe('a leak', () => {
  const growing = (perSecond: number) => (seq: number) => ({ gc: { heapLiveBytes: (50 + perSecond * seq) * MIB } });

  it('is live heap that grows and goes on growing; it is never tuned away', () => {
    const finding = first(evidenceOf(300, growing(0.5)));
    expect(finding).toMatchObject({ cause: 'Leak' });
    expect(finding?.remedy).toBeUndefined();
    expect(finding?.summary).toContain('30 MiB a minute');
  });

  it('outranks a GOGC that is too low', () => {
    const evidence = evidenceOf(300, (seq) => ({ ...busy, gc: { ...busy.gc, ...growing(0.3)(seq).gc } }));
    const [leak, ...others] = diagnose(evidence);
    expect(leak?.cause).toBe('Leak');
    expect(others.find(({ cause }) => cause === 'GogcTooLow')?.confidence).toBeLessThan(0.2);
  });

  it.each<[string, number, (seq: number) => WindowOver]>([
    ['a start-up that levels off', 300, (seq) => ({ gc: { heapLiveBytes: (50 + Math.min(seq, 120)) * MIB } })],
    [
      'growth that turned into swings of load',
      300,
      (seq) => ({ gc: { heapLiveBytes: (seq < 150 ? 50 + seq : 200 + 0.6 * (seq - 150) + 4 * (seq % 20)) * MIB } }),
    ],
    ['less than two minutes', 100, growing(1)],
    ['as many more robots', 300, (seq) => ({ ...growing(0.5)(seq), activeRobots: 1000 + 10 * seq })],
    ['a saw-tooth', 300, (seq) => ({ gc: { heapLiveBytes: (50 + (seq % 40)) * MIB } })],
    ['a stable heap', 300, () => ({})],
  ])('is not %s', (_, count, over) => {
    expect(diagnose(evidenceOf(count, over)).map(({ cause }) => cause)).not.toContain('Leak');
  });
});

describe('others', () => {
  it('names CPU throttling that lengthens collections', () => {
    const evidence = evidenceOf(20, () => ({
      gcStall: stalls(60),
      cgroup: { throttledShare: 0.7, cpuLimitCores: 0.5 },
    }));
    expect(first(evidence)).toMatchObject({ cause: 'CpuThrottling' });
  });

  it('says that it is not GC where every budget is kept', () => {
    expect(diagnose(evidenceOf(20, () => ({}))).map(({ cause, remedy }) => [cause, remedy])).toEqual([
      ['NotGc', undefined],
    ]);
  });

  it('names the slow handshakes and connections that were seen meanwhile', () => {
    const none = { ...stalls(0, 0), failed: 0 };
    const network = {
      tlsClient: { ...stalls(812, 3), failed: 1 },
      tlsServer: { ...stalls(499, 3), failed: 0 },
      openssl: none,
      connect: { ...stalls(3100, 1), failed: 1 },
      read: { ...stalls(9000, 5), failed: 0 },
    };
    const finding = first(evidenceOf(20, (seq) => (seq >= 18 ? { network } : {})));
    expect(finding).toMatchObject({ cause: 'NotGc', confidence: 0.9 });
    expect(finding?.evidence.slice(0, 3)).toEqual([
      'TLS handshake (client): up to 812 ms, over the limit of 500 ms in 2 of 20 windows, 2 failed',
      'TCP connect: up to 3100 ms, over the limit of 3000 ms in 2 of 20 windows, 2 failed',
      expect.stringContaining('GC CPU share'),
    ]);
  });

  it('holds network phases against the limits that the policy sets', () => {
    const network = {
      tlsClient: { ...stalls(300, 3), failed: 0 },
      tlsServer: { ...stalls(0, 0), failed: 0 },
      openssl: { ...stalls(0, 0), failed: 0 },
      connect: { ...stalls(0, 0), failed: 0 },
      read: { ...stalls(0, 0), failed: 0 },
    };
    const strict = deriveThresholds(syntheticSpec({ thresholds: { tlsHandshake: '250ms' } }));
    const over = () => ({ network });
    expect(first(evidenceOf(20, over))?.confidence).toBe(0.8);
    expect(first(evidenceOf(20, over, { thresholds: strict }))?.confidence).toBe(0.9);
  });

  it('is less sure of that where probe events were lost', () => {
    expect(first(evidenceOf(20, () => ({ lostEvents: 1 })))?.confidence).toBeLessThan(0.5);
  });

  it('knows nothing without windows', () => expect(diagnose(evidenceOf(0, () => ({})))).toEqual([]));
});

describe('whatever the windows', () => {
  const anyWindow = fc.record({
    gcStall: fc.record({ p99: fc.integer({ min: 0, max: 100 }), count: fc.integer({ min: 1, max: 500 }) }),
    gogc: fc.integer({ min: -1, max: 800 }),
    cpuShare: fc.double({ min: 0, max: 0.6, noNaN: true }),
    live: fc.integer({ min: 0, max: 600 }),
    current: fc.integer({ min: 0, max: 512 }),
    some: fc.double({ min: 0, max: 1, noNaN: true }),
    throttled: fc.double({ min: 0, max: 1, noNaN: true }),
    limitDriven: fc.boolean(),
  });
  const evidences = fc.array(anyWindow, { maxLength: 30 }).map((list) =>
    evidenceOf(list.length, (seq) => {
      const w = list[seq];
      if (!w) return {};
      return {
        gcStall: stalls(w.gcStall.p99, w.gcStall.count),
        gc: {
          gogc: w.gogc,
          cpuShare: w.cpuShare,
          heapLiveBytes: w.live * MIB,
          limitDrivenCycles: w.limitDriven ? 1 : 0,
        },
        cgroup: {
          memoryCurrentBytes: w.current * MIB,
          memoryPressure: { some: w.some, full: w.some / 3 },
          throttledShare: w.throttled,
        },
      };
    }),
  );

  it('is ranked, within 0 to 1, with evidence, and the same each time', () => {
    fc.assert(
      fc.property(evidences, (evidence) => {
        const found = diagnose(evidence);
        expect(found).toEqual(diagnose(evidence));
        for (const { confidence, evidence: lines, refutedBy } of found) {
          expect(confidence).toBeGreaterThanOrEqual(0);
          expect(confidence).toBeLessThanOrEqual(1);
          expect(lines.length).toBeGreaterThan(0);
          expect(refutedBy).toBeTruthy();
        }
        expect(found.map(({ confidence }) => confidence)).toEqual(
          found.map(({ confidence }) => confidence).sort((a, b) => b - a),
        );
      }),
    );
  });

  it('gives no remedy where no signal was in breach', () => {
    fc.assert(
      fc.property(evidences, (evidence) => {
        const calm = {
          ...evidence,
          thresholds: {
            ...thresholds,
            gcStallP99Ns: 1e12,
            gcCpuShare: 1,
            memoryPressureSome: 1,
            memoryPressureFull: 1,
          },
        };
        const acting = diagnose(calm).filter(({ cause, remedy }) => remedy !== undefined && cause === 'GogcTooLow');
        expect(acting).toEqual([]);
      }),
    );
  });
});
