import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CgroupSample, PressureLine } from '../../host/index.ts';
import { CgroupFacts } from '../../model/index.ts';
import { cgroupSample } from '../testing/events.ts';
import { type CgroupReading, cgroupFacts } from './cgroup-facts.ts';

const reading = (cgroup: CgroupSample, node: CgroupReading['node'] = null): CgroupReading => ({ cgroup, node });
const facts = (before: CgroupReading | null, after: CgroupReading, durationMs: number) =>
  cgroupFacts(before, after, { durationMs, slow: { reclaim: null, cpuPressure: null, ioPressure: null } });
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
      events: { low: 0, high: 0, max: 0, oom: 0, oomKill: 1, oomGroupKill: null },
    });
    const after = cgroupSample({
      memoryCurrentBytes: 5e6,
      memoryLimitBytes: 9e6,
      pressure: pressure(0.5e9, 0.1e9),
      memoryHighBytes: 8e6,
      memoryPeakBytes: 7e6,
      memoryWorkingSetBytes: 4e6,
      swapBytes: 3,
      cpu: { ...cpu(1.5e9, 120, 15), throttledNs: 7 },
      cpuLimitCores: 2,
      events: { low: 0, high: 2, max: 5, oom: 1, oomKill: 2, oomGroupKill: null },
    });
    const calm = { memory: null, cpu: { some: line(0), full: null }, io: null };
    const busy = { memory: null, cpu: { some: line(1e9), full: null }, io: null };
    expect(facts(reading(before, calm), reading(after, busy), 2000)).toEqual({
      memoryCurrentBytes: 5e6,
      memoryLimitBytes: 9e6,
      memoryHighBytes: 8e6,
      memoryPeakBytes: 7e6,
      workingSetBytes: 4e6,
      anonBytes: null,
      fileBytes: null,
      swapBytes: 3,
      swapLimitBytes: null,
      memoryPressure: { some: 0.25, full: 0.05 },
      memoryPressureAverages: {
        some: { avg10: 0, avg60: 0, avg300: 0 },
        full: { avg10: 0, avg60: 0, avg300: 0 },
      },
      cpuPressure: null,
      ioPressure: null,
      node: { memory: null, cpu: { some: 0.5, full: null }, io: null },
      reclaim: null,
      events: { low: 0, high: 2, max: 5, oom: 1, oomKill: 1, oomGroupKill: null },
      eventsLocal: null,
      podMaxEvents: null,
      cpuUsedCores: 0.75,
      cpuLimitCores: 2,
      throttledShare: 0.25,
      throttledNs: 7,
      oomKills: 1,
      missing: [],
    });
  });

  test('what this kernel does not tell is named, not made up', () => {
    const after = cgroupSample({ memoryCurrentBytes: null, missing: [{ name: 'memory.pressure', problem: 'ENOENT' }] });
    const unknown = facts(reading(cgroupSample({})), reading(after), 1000);
    expect(unknown).toMatchObject({
      memoryPressure: null,
      memoryPressureAverages: null,
      cpuPressure: null,
      node: null,
    });
    expect(unknown).toMatchObject({ events: null, eventsLocal: null, swapBytes: null, throttledNs: null });
    expect(unknown.missing).toEqual(['memory.pressure (ENOENT)']);
  });

  test('without an earlier reading there are no deltas', () => {
    const after = cgroupSample({ memoryCurrentBytes: 1, pressure: pressure(5e9, 0), cpu: cpu(9e9, 10, 9) });
    expect(facts(null, reading(after), 1000)).toMatchObject({
      memoryPressure: null,
      events: null,
      node: null,
      cpuUsedCores: null,
      throttledShare: null,
      throttledNs: null,
      missing: [],
    });
  });

  test.each<[string, number, number, number]>([
    ['one process', 1, 0, 1],
    ['two processes, one after the other', 2, 0, 2],
    ['a container of one process, killed whole', 2, 1, 1],
    ['the same where the kernel found that one gone', 1, 1, 1],
    ['a container of three processes, killed whole', 4, 1, 3],
    ['a process, and then a container of one, killed whole', 3, 1, 2],
  ])('a kill is told once: %s', (_, oomKill, oomGroupKill, kills) => {
    const none = { low: 0, high: 0, max: 0, oom: 0, oomKill: 7, oomGroupKill: 2 };
    const some = { ...none, oomKill: 7 + oomKill, oomGroupKill: 2 + oomGroupKill };
    const told = facts(reading(cgroupSample({ events: none })), reading(cgroupSample({ events: some })), 1000);
    expect(told).toMatchObject({ oomKills: kills, events: { oomKill, oomGroupKill } });
  });

  test('an event of v1, which counts but two of them', () => {
    const events = (max: number): CgroupSample['events'] => ({
      low: null,
      high: null,
      max,
      oom: null,
      oomKill: 0,
      oomGroupKill: null,
    });
    const { events: counted } = facts(
      reading(cgroupSample({ events: events(5) })),
      reading(cgroupSample({ events: events(9) })),
      1000,
    );
    expect(counted).toEqual({ low: null, high: null, max: 4, oom: null, oomKill: 0, oomGroupKill: null });
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
        const made = facts(reading(sample(a), sample(a).pressure), reading(sample(b), sample(b).pressure), durationMs);
        for (const share of [
          made.memoryPressure?.some,
          made.memoryPressure?.full,
          made.node?.memory?.some,
          made.throttledShare,
        ]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(made.cpuUsedCores).toBeGreaterThanOrEqual(0);
        expect(CgroupFacts.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
      }),
    );
  });
});
