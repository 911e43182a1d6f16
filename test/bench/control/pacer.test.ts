import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assistRatio, CpuLimiter, percentGoalBytes, triggerBytes } from './pacer.ts';

const MIB = 2 ** 20;
const bytes = fc.integer({ min: 0, max: 4096 * MIB });

describe("the runtime's pacer, as the model has it", () => {
  it.each([
    ['an empty heap: 4 MiB at GOGC=100', [0, 0, 100], 4 * MIB],
    ['an empty heap: in proportion to GOGC', [0, 0, 50], 2 * MIB],
    ['twice the live heap and the roots', [64 * MIB, MIB, 100], 129 * MIB],
    ['none when GOGC is off', [64 * MIB, MIB, -1], null],
  ] as const)('goal of %s', (_, [marked, roots, gogc], goal) => {
    expect(percentGoalBytes(marked, roots, gogc)).toBe(goal);
  });

  it('begins a collection between the live heap and its goal, whatever the runway', () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (marked, room, runway) => {
        const trigger = triggerBytes(marked + room, marked, runway);
        return trigger >= marked + Math.floor((room * 45) / 64) - 1 && trigger <= marked + room;
      }),
    );
  });

  it('asks for more work for each byte the nearer the heap comes to its goal', () => {
    expect(assistRatio(100 * MIB, 80 * MIB, 40 * MIB)).toBe(2);
    expect(assistRatio(100 * MIB, 90 * MIB, 40 * MIB)).toBe(4);
    expect(assistRatio(100 * MIB, 101 * MIB, 9 * MIB)).toBeCloseTo(1);
  });

  it('gives up when the collector would take more than half of the processors for seconds, until the program has caught up', () => {
    const limiter = new CpuLimiter(2);
    const seconds: boolean[] = [];
    for (const gc of [1.5, 1.5, 1.5, 1.5, 0.5]) {
      limiter.account(2 - gc, gc);
      seconds.push(limiter.isLimiting);
    }
    expect(seconds).toEqual([false, true, true, true, false]);
  });
});
