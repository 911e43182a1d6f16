import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Flush } from '../../host/probe/index.ts';
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
