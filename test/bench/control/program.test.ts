import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../support/fuzz/random.ts';
import type { Account } from './account.ts';
import { ALLOC_BYTES_PER_ROBOT_SECOND, BEAT_SHARE, LIVE_BYTES_PER_ROBOT, PROCESSORS } from './constants.ts';
import type { Knobs, Load } from './load.ts';
import { GoProgram } from './program.ts';

const MIB = 2 ** 20;
const STEP_SECONDS = 0.02;

const robots = (count: number): Load => ({
  reachableBytes: count * LIVE_BYTES_PER_ROBOT,
  allocBytesPerSecond: count * ALLOC_BYTES_PER_ROBOT_SECOND,
  beatShare: BEAT_SHARE,
  activeRobots: count,
  processors: PROCESSORS,
  nodePressure: 0,
});

interface Life {
  readonly account: Account;
  readonly peakBytes: number;
}

function life(load: Load, knobs: Knobs, seconds: number, seed = 1): Life {
  const program = new GoProgram(knobs, randomFrom(seed));
  let peakBytes = 0;
  for (let step = 0; step < seconds / STEP_SECONDS; step++) {
    program.step(load, STEP_SECONDS);
    peakBytes = Math.max(peakBytes, program.usedBytes);
  }
  return { account: program.take(), peakBytes };
}

const loads = fc
  .record({
    live: fc.integer({ min: 1, max: 300 }),
    rate: fc.integer({ min: 0, max: 300 }),
    processors: fc.constantFrom(1, 2),
  })
  .map(
    ({ live, rate, processors }): Load => ({
      ...robots(1000),
      reachableBytes: live * MIB,
      allocBytesPerSecond: rate * MIB,
      processors,
    }),
  );
const knobs = fc.record({
  gogc: fc.constantFrom(10, 50, 100, 400, -1),
  goMemLimitBytes: fc.constantFrom(64 * MIB, 512 * MIB, 1024 * MIB),
});

describe('a Go program in the model', () => {
  it('lives the same life from the same seed, and another from another', () => {
    const [one, again, other] = [7, 7, 8].map((seed) =>
      life(robots(10_000), { gogc: 50, goMemLimitBytes: null }, 20, seed),
    );
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('allocates what arrived, or less; takes no more processor time than there is; keeps what is alive', () => {
    fc.assert(
      fc.property(loads, knobs, fc.integer(), (load, settings, seed) => {
        const seconds = 6;
        const { account, peakBytes } = life(load, settings, seconds, seed);
        const { gcSeconds, idleSeconds, assistSeconds, allocatedBytes } = account;
        expect(allocatedBytes).toBeLessThanOrEqual(load.allocBytesPerSecond * seconds * 1.001 + 1);
        // Pauses are charged on all processors, however many the container gets.
        expect(gcSeconds + idleSeconds).toBeLessThanOrEqual(PROCESSORS * seconds * 1.05);
        expect(assistSeconds).toBeLessThanOrEqual(gcSeconds + 1e-9);
        if (allocatedBytes >= load.reachableBytes) expect(peakBytes).toBeGreaterThanOrEqual(load.reachableBytes * 0.9);
      }),
      { numRuns: 60 },
    );
  });

  it('collects less often and uses more memory with a higher GOGC', () => {
    const lives = [25, 50, 100, 200].map((gogc) => life(robots(10_000), { gogc, goMemLimitBytes: null }, 30));
    for (const [index, { account, peakBytes }] of lives.entries()) {
      const before = lives[index - 1];
      if (!before) continue;
      expect(account.cycles).toBeLessThan(before.account.cycles);
      expect(account.gcSeconds).toBeLessThan(before.account.gcSeconds);
      expect(peakBytes).toBeGreaterThan(before.peakBytes);
    }
  });

  it('keeps to GOMEMLIMIT as long as what is alive fits under it, and says what drove the cycles', () => {
    const limited = life(robots(10_000), { gogc: -1, goMemLimitBytes: 160 * MIB }, 30);
    expect(limited.peakBytes).toBeLessThan(175 * MIB);
    expect(limited.account.limitDrivenCycles).toBe(limited.account.cycles);
    expect(limited.account.cycles).toBeGreaterThan(10);
  });

  it('is held to half of the processors by the limiter where GOMEMLIMIT leaves no room', () => {
    const spiral = life(robots(20_000), { gogc: 100, goMemLimitBytes: 100 * MIB }, 60);
    expect(spiral.account.limiterWasOn).toBe(true);
    expect(spiral.account.gcSeconds / (60 * PROCESSORS)).toBeLessThan(0.65);
    expect(spiral.peakBytes).toBeGreaterThan(100 * MIB);
  });
});
