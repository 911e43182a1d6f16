import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeapHistory, type HeapPoint, SavedHeapHistory } from './heap-history.ts';
import { syntheticWindow, type WindowOver } from './testing.ts';

const MIB = 2 ** 20;
const MINUTE = 60;
const HOUR = 3600;

/** A window each half a minute, so that a day is quick. */
function historyOf(seconds: number, over: (second: number) => WindowOver = () => ({})): HeapPoint[] {
  const history = new HeapHistory();
  for (let second = 0; second < seconds; second += 30) history.observe(syntheticWindow(second, over(second)));
  return history.points();
}

const distances = (points: readonly HeapPoint[]): number[] =>
  points.slice(1).map(({ endedAt }, at) => (Date.parse(endedAt) - Date.parse(points[at]?.endedAt ?? '')) / 60_000);

describe('the history of a heap', () => {
  it('has a point for five minutes: the least that a cycle left alive, and the load as a mean', () => {
    const points = historyOf(11 * MINUTE, (second) => ({
      gc: { heapLiveBytes: (100 + (second % 300)) * MIB, allocBytesPerSecond: second < 300 ? 10 : 30 },
      activeRobots: second < 300 ? 1000 : 2000,
    }));
    expect(points).toMatchObject([
      { heapLiveBytes: 100 * MIB, allocBytesPerSecond: 10, activeRobots: 1000 },
      { heapLiveBytes: 100 * MIB, allocBytesPerSecond: 30, activeRobots: 2000 },
    ]);
  });

  it('tells nothing of minutes in which no cycle ended, and of robots only where they are counted', () => {
    const points = historyOf(16 * MINUTE, (second) => ({
      gc: { cycles: Number(second >= 600) },
      activeRobots: null,
    }));
    expect(points).toMatchObject([{ activeRobots: null }]);
  });

  it('begins anew with another process', () => {
    const points = historyOf(31 * MINUTE, (second) => ({ pids: [second < 900 ? 1 : 2] }));
    expect(points).toHaveLength(3);
  });

  it('is finer of the last hours than of a day, and forgets what is older than that', () => {
    const [hours, halfDay, twoDays] = [6, 12, 48].map((each) => historyOf(each * HOUR));
    expect(new Set(distances(hours ?? []))).toEqual(new Set([5]));
    expect(new Set(distances(halfDay ?? []))).toEqual(new Set([10]));
    expect(new Set(distances(twoDays ?? []))).toEqual(new Set([20]));
    expect(twoDays?.length).toBe(71);
  });

  it('goes on after it was written down and read again, as if nothing had been', () => {
    const over = (second: number): WindowOver => ({ gc: { cycles: Number(second % 900 >= 300) } });
    const [lasting, first] = [new HeapHistory(), new HeapHistory()];
    const seconds = Array.from({ length: 24 * 120 }, (_, at) => at * 30);
    for (const second of seconds) lasting.observe(syntheticWindow(second, over(second)));
    for (const second of seconds.slice(0, 1700)) first.observe(syntheticWindow(second, over(second)));
    const again = new HeapHistory(SavedHeapHistory.parse(JSON.parse(JSON.stringify(first.saved()))));
    for (const second of seconds.slice(1700)) again.observe(syntheticWindow(second, over(second)));
    expect(again.points()).toEqual(lasting.points());
    expect(again.points().length).toBeGreaterThan(36);
  });

  it('is never more than 72 points, in order, none below the least that was seen', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ skip: fc.integer({ min: 1, max: 4000 }), mib: fc.integer({ min: 1, max: 500 }) }), {
          maxLength: 400,
        }),
        (seen) => {
          const history = new HeapHistory();
          let second = 0;
          for (const { skip, mib } of seen) {
            second += skip;
            history.observe(syntheticWindow(second, { gc: { heapLiveBytes: mib * MIB } }));
          }
          const points = history.points();
          const least = Math.min(...seen.map(({ mib }) => mib * MIB));
          expect(points.length).toBeLessThanOrEqual(72);
          expect(points.every(({ heapLiveBytes }) => heapLiveBytes >= least)).toBe(true);
          expect(distances(points).every((minutes) => minutes > 0)).toBe(true);
        },
      ),
    );
  });
});
