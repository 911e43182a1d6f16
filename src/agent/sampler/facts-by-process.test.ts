import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Flush, nothingUntil } from '../../host/probe/index.ts';
import { cycleEvent, pauseEvent } from '../testing/events.ts';
import { FactsByProcess } from './facts-by-process.ts';

const pid = fc.integer({ min: 1, max: 5 });

test('each event goes to its process alone, in order', () => {
  fc.assert(
    fc.property(fc.array(pid), fc.array(pid), fc.uniqueArray(pid), (pausing, collecting, asked) => {
      const flush: Flush = {
        pauses: pausing.map((of, index) => pauseEvent({ pid: of, startNs: index })),
        cycles: collecting.map((of, index) => cycleEvent({ pid: of, atNs: index })),
        assists: [],
        histograms: [],
        sampled: [],
        counts: [],
        waits: [],
        execs: [],
        gone: [],
        lost: 0,
        atNs: 1,
      };
      const { pauses, cycles } = new FactsByProcess(flush).of(asked);
      expect(pauses).toEqual(asked.flatMap((of) => flush.pauses.filter((pause) => pause.pid === of)));
      expect(cycles).toEqual(asked.flatMap((of) => flush.cycles.filter((cycle) => cycle.pid === of)));
    }),
  );
});

test('what was lost of one process hides nothing of another; what is nobody’s may hide something of each', () => {
  const never = { count: 0, whileMarking: 0 };
  const lostBy = (of: number, count: number): Flush['counts'][number] => ({
    type: 'counts',
    pid: of,
    heapGrows: never,
    mmapFailures: never,
    allocationFailures: never,
    oomVictims: never,
    lostEvents: { count, whileMarking: 0 },
    untoldWaits: never,
    untoldMemoryWaits: never,
    untimedWaits: never,
  });
  const facts = (lost: number) =>
    new FactsByProcess({ ...nothingUntil(1), counts: [lostBy(1, 30), lostBy(2, 4)], lost });
  const of = (lost: number) => [[1], [2], [3], [1, 2]].map((pids) => facts(lost).lostOf(pids));
  expect(of(34)).toEqual([30, 4, 0, 34]);
  expect(of(36)).toEqual([32, 6, 2, 36]);
  // Counted a moment before the total of the flush before was.
  expect(of(30)).toEqual([30, 4, 0, 34]);
});
