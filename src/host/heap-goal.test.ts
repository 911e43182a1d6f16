import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GoalInputs, heapGoalOf } from './heap-goal.ts';

const mib = 1024 * 1024;
const calm: GoalInputs = {
  memoryLimitBytes: null,
  gcPercentHeapGoalBytes: 100 * mib,
  sweepDistMinTriggerBytes: 0,
  triggeredBytes: null,
  heapMarkedBytes: 50 * mib,
  totalAllocBytes: 1_000 * mib,
  totalFreeBytes: 940 * mib,
  mappedReadyBytes: 80 * mib,
  heapFreeBytes: 10 * mib,
};

describe('the heap goal', () => {
  it.each([
    { what: 'GOGC alone', over: {}, bytes: 100 * mib, byLimit: false },
    { what: 'nothing', over: { gcPercentHeapGoalBytes: null }, bytes: null, byLimit: false },
    // Not heap: 80 − 10 − 60 = 10 MiB; of the other 190 less 3 % (of whole hundredths).
    {
      what: 'the limit where GOGC is off',
      over: { gcPercentHeapGoalBytes: null, memoryLimitBytes: 200 * mib },
      bytes: 190 * mib - Math.floor((190 * mib) / 100) * 3,
      byLimit: true,
    },
    { what: 'GOGC below a wide limit', over: { memoryLimitBytes: 200 * mib }, bytes: 100 * mib, byLimit: false },
    { what: 'the live heap under a hopeless limit', over: { memoryLimitBytes: mib }, bytes: 50 * mib, byLimit: true },
    // 20 MiB less the least headroom of 1 MiB.
    {
      what: 'a small limit with its least headroom',
      over: { memoryLimitBytes: 80 * mib + 20 * mib, heapMarkedBytes: mib, mappedReadyBytes: 140 * mib },
      bytes: mib,
      byLimit: true,
    },
    {
      what: 'sweeping that is behind',
      over: { sweepDistMinTriggerBytes: 120 * mib },
      bytes: 120 * mib,
      byLimit: false,
    },
    {
      what: 'a cycle that began late',
      over: { triggeredBytes: 100 * mib },
      bytes: 100 * mib + 64 * 1024,
      byLimit: false,
    },
  ])('is set by $what', ({ over, bytes, byLimit }) => {
    expect(heapGoalOf({ ...calm, ...over })).toEqual({ heapGoalBytes: bytes, goalByMemoryLimit: byLimit });
  });

  const size = fc.nat(2 ** 40);
  it('is never below the live heap when the limit sets it, and never above the goal of GOGC then', () => {
    const inputs = fc.record({
      memoryLimitBytes: size,
      gcPercentHeapGoalBytes: fc.option(size),
      sweepDistMinTriggerBytes: size,
      triggeredBytes: fc.option(size),
      heapMarkedBytes: size,
      totalAllocBytes: size,
      totalFreeBytes: size,
      mappedReadyBytes: size,
      heapFreeBytes: size,
    });
    fc.assert(
      fc.property(inputs, (books) => {
        const { heapGoalBytes, goalByMemoryLimit } = heapGoalOf(books);
        if (!goalByMemoryLimit) return;
        expect(heapGoalBytes).toBeGreaterThanOrEqual(books.heapMarkedBytes);
        expect(heapGoalBytes).toBeLessThan(books.gcPercentHeapGoalBytes ?? Number.POSITIVE_INFINITY);
      }),
    );
  });
});
