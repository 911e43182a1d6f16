import { expect, test } from 'vitest';
import { CgroupFacts } from './window.ts';

test('windows recorded before a field existed are read as they are', () => {
  const recorded = {
    memoryCurrentBytes: 1,
    memoryLimitBytes: null,
    memoryPressure: { some: 0.1, full: 0 },
    cpuUsedCores: 0.5,
    cpuLimitCores: 1,
    throttledShare: 0,
    oomKills: 0,
    missing: ['memory.high (not in cgroup v1)'],
  };
  expect(CgroupFacts.parse(recorded)).toEqual(recorded);
});

test('null differs from absent: not told by this kernel, or no limit', () => {
  const facts = CgroupFacts.parse({
    memoryCurrentBytes: 1,
    memoryLimitBytes: null,
    memoryHighBytes: null,
    memoryPressure: null,
    reclaim: null,
    events: { low: null, high: null, max: 3, oom: null, oomKill: 0 },
    cpuUsedCores: 0,
    cpuLimitCores: null,
    throttledShare: 0,
    oomKills: 0,
    missing: [],
  });
  expect(facts).toMatchObject({ memoryHighBytes: null, reclaim: null, events: { high: null, max: 3 } });
  expect(facts).not.toHaveProperty('swapBytes');
});
