import { describe, expect, it } from 'vitest';
import { FurtherSignal } from '../api/index.ts';
import { heapEmergencyBudget } from './availability.ts';
import { explainThresholds } from './explain.ts';
import { unsetSignals } from './explain-further.ts';
import { ratePerHourOfMeetingGc, ratePerHourOfSparing } from './gc-frequency.ts';
import { syntheticSpec } from './testing.ts';
import { deriveThresholds } from './thresholds.ts';

describe('thresholds from the SLA', () => {
  it('turns 200 ms, 15 %, 95 % and 99.95 % into 30 ms, 25 ms, 5 % and one emergency per 48 h', () => {
    expect(deriveThresholds(syntheticSpec())).toEqual({
      gcStallP99Ns: 30_000_000,
      gcStallTargetNs: 25_000_000,
      gcCpuShare: 0.05,
      memoryPressureSome: 0.1,
      memoryPressureFull: 0.01,
      network: { tlsHandshakeNs: 500_000_000, connectNs: 3_000_000_000 },
      nodeMemoryPressure: 0.1,
      further: {},
      heapEmergencies: { count: 1, perHours: 48 },
      breach: { windows: 3, of: 5 },
    });
  });

  it.each([
    ['100ms', '15%', 15_000_000, 10_000_000],
    ['200ms', '5%', 10_000_000, 5_000_000],
    ['40ms', '15%', 6_000_000, 3_000_000],
    ['1ms', '10%', 100_000, 50_000],
  ])(
    '%s × %s: limit %d ns, target %d ns, never below half the limit',
    (latencyP99, gcShareOfLatency, limit, target) => {
      const derived = deriveThresholds(syntheticSpec({ sla: { latencyP99, gcShareOfLatency } }));
      expect([derived.gcStallP99Ns, derived.gcStallTargetNs]).toEqual([limit, target]);
    },
  );

  it('lets a policy override what is derived', () => {
    const derived = deriveThresholds(
      syntheticSpec({ thresholds: { gcStallP99: '12ms', gcCpuShare: '8%', memoryPressureFull: '2%' } }),
    );
    expect(derived).toMatchObject({ gcStallP99Ns: 12_000_000, gcCpuShare: 0.08, memoryPressureFull: 0.02 });
  });

  it.each([
    [0.999, { count: 1, perHours: 24 }],
    [0.9995, { count: 1, perHours: 48 }],
    [0.9999, { count: 1, perHours: 240 }],
    [0.9, { count: 1, perHours: 0.24 }],
    [0.999999, { count: 0, perHours: 8760 }],
    [1, { count: 0, perHours: 8760 }],
  ])('availability %d leaves room for %o', (availability, budget) => {
    expect(heapEmergencyBudget(availability)).toEqual(budget);
  });
});

describe('acceptable GC frequency', () => {
  it('evaluates (1/T)·ln(1/(1−p))·3600 for T = 30 ms, p = 0.99 to 552 620 per hour, not 276.31', () => {
    expect(ratePerHourOfMeetingGc(0.03, 0.99)).toBeCloseTo(552_620.42, 1);
  });

  it('gives 276.31 for T = 60 seconds (or for T = 30 seconds with p = 0.9): a factor of 2000', () => {
    expect(ratePerHourOfMeetingGc(60, 0.99)).toBeCloseTo(276.31, 2);
    expect(ratePerHourOfMeetingGc(30, 0.9)).toBeCloseTo(276.31, 2);
    expect(ratePerHourOfMeetingGc(0.03, 0.99) / ratePerHourOfMeetingGc(60, 0.99)).toBeCloseTo(2000, 9);
  });

  it('grows with p, so it is no limit; the rate that spares events shrinks with p, so it is one', () => {
    expect(ratePerHourOfMeetingGc(0.03, 0.999)).toBeGreaterThan(ratePerHourOfMeetingGc(0.03, 0.99));
    expect(ratePerHourOfSparing(0.2, 0.999)).toBeLessThan(ratePerHourOfSparing(0.2, 0.99));
  });

  it('allows 180.9 stalls above the limit per hour at a latency promise of 200 ms', () => {
    expect(ratePerHourOfSparing(0.2, 0.99)).toBeCloseTo(180.906, 3);
    expect(ratePerHourOfSparing(0.03, 0.99)).toBeCloseTo(1206.04, 2);
  });

  it('agrees with a simulation of the model: at that rate, 99 % of events meet no over-limit stall', () => {
    // Renewal times by a fixed linear congruential generator, so that the test is the same every time.
    let state = 42n;
    const uniform = () => {
      state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
      return (Number(state >> 11n) + 0.5) / 2 ** 53;
    };
    const [latency, stall] = [0.2, 0.03];
    const perSecond = ratePerHourOfSparing(latency, 0.99) / 3600;
    const starts: number[] = [];
    for (let t = 0; t < 400_000; ) {
      t += -Math.log(uniform()) / perSecond;
      starts.push(t);
    }
    let hit = 0;
    const events = 200_000;
    for (let i = 0, next = 0; i < events; i++) {
      const arrives = (i + uniform()) * 2;
      while ((starts[next] ?? Number.POSITIVE_INFINITY) + stall < arrives) next += 1;
      if ((starts[next] ?? Number.POSITIVE_INFINITY) < arrives + latency - stall) hit += 1;
    }
    expect(hit / events).toBeGreaterThan(0.008);
    expect(hit / events).toBeLessThan(0.012);
  });
});

describe('explain', () => {
  it('has one row per signal, with formula and inputs', () => {
    const rows = explainThresholds(syntheticSpec());
    expect(rows.map(({ signal, limit, unit }) => [signal, Number(limit.toFixed(2)), unit])).toEqual([
      ['gcStallP99', 30_000_000, 'ns'],
      ['gcStallTarget', 25_000_000, 'ns'],
      ['gcCpuShare', 0.05, 'ratio'],
      ['heapEmergencies', 1, 'count'],
      ['memoryPressureSome', 0.1, 'ratio'],
      ['memoryPressureFull', 0.01, 'ratio'],
      ['nodeMemoryPressure', 0.1, 'ratio'],
      ['tlsHandshake', 500_000_000, 'ns'],
      ['connect', 3_000_000_000, 'ns'],
      ['overLimitStallRate', 180.91, '1/h'],
      ['gcRateOfMeeting', 552_620.42, '1/h'],
    ]);
    for (const row of rows) expect([row.formula, Object.keys(row.inputs).length]).not.toContain(0);
  });

  it('says when a threshold is an override', () => {
    const rows = explainThresholds(syntheticSpec({ thresholds: { gcCpuShare: '8%' } }));
    expect(rows.find((row) => row.signal === 'gcCpuShare')?.formula).toContain('override');
  });

  it('shows each further signal that has a limit as the policy wrote it, and names the others', () => {
    const spec = syntheticSpec({
      thresholds: { gcPauseMax: '7ms', gcRate: 4.5, heapLive: '512Mi', oomKills: 0, gcLimiter: false },
    });
    const rows = explainThresholds(spec);
    const row = (signal: string) => rows.find((candidate) => candidate.signal === signal);
    expect(row('gcPauseMax')).toEqual({
      signal: 'gcPauseMax',
      limit: 7_000_000,
      unit: 'ns',
      formula: 'max(STW pauses of a window)',
      inputs: { gcPauseMax: '7ms', breach: '3 of 5 one-second windows' },
      enforced: true,
    });
    expect(row('gcRate')).toMatchObject({ limit: 4.5, unit: '1/s' });
    expect(row('heapLive')).toMatchObject({ limit: 512 * 2 ** 20, unit: 'bytes' });
    expect(row('oomKills')).toMatchObject({ inputs: { breach: 'all of 5 one-second windows together' } });
    expect(row('gcLimiter')).toBeUndefined();
    expect(unsetSignals(spec)).toContain('gcLimiter');
    expect([...unsetSignals(spec), 'gcPauseMax', 'gcRate', 'heapLive', 'oomKills'].sort()).toEqual(
      [...FurtherSignal.options].sort(),
    );
  });
});
