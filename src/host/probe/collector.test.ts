import { expect, test } from 'vitest';
import { EventCollector, maxWaitsOfProcess } from './collector.ts';
import type { PauseEvent, WaitEvent } from './protocol.ts';

const pause: PauseEvent = { type: 'pause', pid: 1, tid: 1, reason: 1, startNs: 1, stoppingNs: 1, totalNs: 2 };
function wait(pid: number, on: WaitEvent['on'] = 'connect'): WaitEvent {
  return { type: 'wait', on, pid, tid: 1, startNs: 1, durationNs: 2e7, marking: null, failed: true };
}

test('a process that waits without end costs no other its events, and what was not kept of it is counted as its own', () => {
  const collector = new EventCollector(10);
  for (let i = 0; i < 50_000; i++) collector.add(wait(2));
  for (let i = 0; i < 10; i++) collector.add(pause);
  collector.add(wait(3));
  const flush = collector.take(1);
  expect(flush.lost).toBe(0);
  expect(flush.pauses).toHaveLength(10);
  expect(flush.waits.filter(({ pid }) => pid === 2)).toHaveLength(maxWaitsOfProcess);
  expect(flush.waits.filter(({ pid }) => pid === 3)).toHaveLength(1);
  expect(flush.counts).toMatchObject([{ pid: 2, untoldWaits: { count: 50_000 - maxWaitsOfProcess } }]);
});

test('what was not kept is counted where it belongs: with the network or with memory', () => {
  const collector = new EventCollector(10);
  for (let i = 0; i < maxWaitsOfProcess; i++) collector.add(wait(2));
  for (let i = 0; i < 3; i++) collector.add(wait(2, 'reclaimMemcg'));
  collector.add(wait(2));
  expect(collector.take(1).counts).toMatchObject([{ untoldWaits: { count: 1 }, untoldMemoryWaits: { count: 3 } }]);
});

test('after a flush everything is kept again', () => {
  const collector = new EventCollector(1);
  for (let i = 0; i < maxWaitsOfProcess + 1; i++) collector.add(wait(2));
  collector.add(pause);
  collector.add(pause);
  expect(collector.take(1).lost).toBe(1);
  collector.add(wait(2));
  expect(collector.take(2)).toMatchObject({ lost: 0, counts: [], waits: [{ pid: 2 }], pauses: [] });
});
