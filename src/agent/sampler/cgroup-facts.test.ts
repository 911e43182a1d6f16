import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CgroupSample, PressureLine } from '../../host/index.ts';
import { cgroupSample } from '../testing/events.ts';
import { cgroupFacts } from './cgroup-facts.ts';

const line = (totalNs: number): PressureLine => ({ avg10: 0, avg60: 0, avg300: 0, totalNs });
const pressure = (someNs: number, fullNs: number): CgroupSample['pressure'] => ({
  memory: { some: line(someNs), full: line(fullNs) },
  cpu: null,
  io: null,
});
const cpu = (usageNs: number, nrPeriods: number, nrThrottled: number): NonNullable<CgroupSample['cpu']> => ({
  usageNs,
  nrPeriods,
  nrThrottled,
  throttledNs: 0,
});

describe('cgroupFacts', () => {
  test('counters become shares of the window', () => {
    const before = cgroupSample({
      pressure: pressure(0, 0),
      cpu: cpu(0, 100, 10),
      events: { high: 0, max: 0, oom: 0, oomKill: 1 },
    });
    const after = cgroupSample({
      memoryCurrentBytes: 5e6,
      memoryLimitBytes: 9e6,
      pressure: pressure(0.5e9, 0.1e9),
      cpu: cpu(1.5e9, 120, 15),
      cpuLimitCores: 2,
      events: { high: 0, max: 0, oom: 1, oomKill: 2 },
    });
    expect(cgroupFacts(before, after, 2000)).toEqual({
      memoryCurrentBytes: 5e6,
      memoryLimitBytes: 9e6,
      memoryPressure: { some: 0.25, full: 0.05 },
      cpuUsedCores: 0.75,
      cpuLimitCores: 2,
      throttledShare: 0.25,
      oomKills: 1,
      missing: [],
    });
  });

  test('what this kernel does not tell is named, not made up', () => {
    const after = cgroupSample({ memoryCurrentBytes: null, missing: ['memory.pressure: no such file'] });
    const facts = cgroupFacts(cgroupSample({}), after, 1000);
    expect(facts.memoryPressure).toBeNull();
    expect(facts.missing).toEqual(['memory.current', 'memory.pressure: no such file']);
  });

  test('without an earlier reading there are no deltas, and that is said', () => {
    const facts = cgroupFacts(
      null,
      cgroupSample({ memoryCurrentBytes: 1, pressure: pressure(5e9, 0), cpu: cpu(9e9, 10, 9) }),
      1000,
    );
    expect(facts).toMatchObject({
      memoryPressure: null,
      cpuUsedCores: 0,
      throttledShare: 0,
      missing: ['deltas: first window'],
    });
  });

  test('property: shares stay within 0 and 1 whatever the counters do, also when they fall', () => {
    const counters = fc.record({
      some: fc.nat(1e12),
      full: fc.nat(1e12),
      usage: fc.nat(1e12),
      periods: fc.nat(1e6),
      throttled: fc.nat(1e6),
    });
    fc.assert(
      fc.property(counters, counters, fc.integer({ min: 1, max: 60_000 }), (a, b, durationMs) => {
        const sample = (c: typeof a): CgroupSample =>
          cgroupSample({ pressure: pressure(c.some, c.full), cpu: cpu(c.usage, c.periods, c.throttled) });
        const facts = cgroupFacts(sample(a), sample(b), durationMs);
        for (const share of [facts.memoryPressure?.some, facts.memoryPressure?.full, facts.throttledShare]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(facts.cpuUsedCores).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
