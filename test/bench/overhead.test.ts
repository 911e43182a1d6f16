import { describe, expect, test } from 'vitest';
import { randomFrom } from '../support/fuzz/random.ts';
import { type Condition, compareLatency, compareThroughput, type OverheadTurn } from './overhead.ts';
import { judge } from './statistics.ts';

const boundsNs = [1e6, 2e6, 4e6];

function turn(condition: Condition, more: Partial<OverheadTurn> = {}): OverheadTurn {
  return {
    condition,
    seconds: 3,
    events: 3_000_000,
    dropped: 0,
    cpuSeconds: 6,
    latencies: { boundsNs, counts: [98, 2, 0, 0] },
    observerCpuSeconds: condition === 'nothing' ? 0 : 0.03,
    seen: { cycles: 4, assistStalls: 900, lostEvents: 0 },
    ...more,
  };
}

/** The machine gets faster and slower from round to round by a fifth; `factor` is what observing does. */
function rounds(condition: Condition, factor: number, count = 20): OverheadTurn[][] {
  return Array.from({ length: count }, (_, i) => {
    const events = 3_000_000 * (1 + 0.2 * Math.sin(i));
    const observed = turn(condition, { events: events * factor * (1 + 0.001 * Math.cos(i)) });
    return [turn('nothing', { events }), observed, observed, turn('nothing', { events })];
  });
}

describe('throughput', () => {
  test.each([
    [1, 'held'],
    [0.995, 'held'],
    [0.98, 'missed'],
    [0.99, 'inconclusive'],
  ])('that observing multiplies by %d is %s, however the machine changes from round to round', (factor, verdict) => {
    const [nothing, ours] = compareThroughput(rounds('robotgc', factor), randomFrom(1));
    expect(nothing?.condition).toBe('nothing');
    expect(nothing?.eventsPerSecondRatio).toEqual({ value: 1, low: 1, high: 1 });
    expect(ours?.eventsPerSecondRatio.value).toBeCloseTo(factor, 3);
    expect(ours && judge(ours.eventsPerSecondRatio, 0.99)).toBe(verdict);
  });

  test('what the observer takes from the machine is apart from what it does to the robot', () => {
    const round = [
      turn('nothing'),
      turn('gctrace', { events: 2_700_000, cpuSeconds: 5.4 }),
      turn('gctrace', { events: 2_700_000, cpuSeconds: 5.4 }),
      turn('nothing'),
    ];
    const [, gctrace] = compareThroughput([round], randomFrom(1));
    expect(gctrace?.eventsPerSecondRatio.value).toBeCloseTo(0.9, 9);
    expect(gctrace?.eventsPerCpuSecondRatio.value).toBeCloseTo(1, 9);
    expect(gctrace?.observed).toEqual({ cores: 0.01, cyclesSeen: 8, assistStallsSeen: 1800, lostEvents: 0 });
  });
});

describe('latency', () => {
  test('the quantile is of the events of all rounds together', () => {
    const slow = turn('robotgc', { latencies: { boundsNs, counts: [96, 0, 4, 0] }, dropped: 3 });
    const [nothing, ours] = compareLatency(
      [
        [turn('nothing'), turn('robotgc')],
        [turn('nothing'), slow],
      ],
      randomFrom(1),
    );
    expect(nothing?.p99Ns).toBeCloseTo(1e6 * 2 ** 0.5, 3); // 2 of 100 above 1 ms, the 99th in the middle of its bucket
    expect(ours?.p99Ns).toBeCloseTo(2e6 * 2 ** 0.5, 3); // of 200 events, 2 above 1 ms and 4 above 2 ms; the 198th is half-way
    expect(ours?.p99Ratio.value).toBeCloseTo(2, 6);
    expect(ours?.p99Ratio.low).toBeCloseTo(1, 6);
    expect(ours?.dropped).toBe(3);
  });
});
