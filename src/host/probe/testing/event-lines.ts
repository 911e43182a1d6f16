/** Lines as the probe prints them, and lines that only look so. */
import fc from 'fast-check';
import type { ProbeEvent } from '../protocol.ts';

const cycle = {
  type: 'cycle',
  pid: 1,
  atNs: 2,
  procs: 2,
  userForced: false,
  gcPercent: -1,
  memoryLimitBytes: null,
  heapMinimumBytes: 1,
  heapGoalBytes: null,
  goalByMemoryLimit: false,
  triggeredBytes: null,
  lastHeapGoalBytes: 1,
  heapLiveBytes: 1,
  heapMarkedBytes: 1,
  lastStackScanBytes: 1,
  globalsScanBytes: 1,
  assistNs: 1,
  dedicatedNs: 1,
  fractionalNs: 1,
  idleNs: 1,
  markStartNs: 1,
  totalAllocBytes: 1,
  totalFreeBytes: 1,
  mappedReadyBytes: 1,
  heapInUseBytes: 1,
  heapReleasedBytes: 1,
  heapFreeBytes: 1,
} satisfies ProbeEvent;

/** One of each, as the probe prints them. */
export const events: ProbeEvent[] = [
  {
    type: 'ready',
    protocol: 3,
    version: '0.1.0',
    attach: 'uprobe_multi',
    kernel: '6.18.44',
    missing: [{ signal: 'reclaimMemcg', reason: 'this kernel does not give its tracepoint' }],
  },
  { type: 'attached', id: 'a', points: 10, attach: 'perf', seq: 1 },
  { type: 'detached', id: 'a' },
  { type: 'watching', pid: 12, seq: 2 },
  { type: 'unwatched', pid: 12 },
  { type: 'runs', pid: 12, id: 'a', runs: true, seq: 5 },
  { type: 'runs', pid: 12, id: 'a', runs: null },
  { type: 'gone', pid: 12 },
  { type: 'error', code: 'SOME_NEWER_CODE', message: 'what, to what, what to do', pid: 3, id: 'a', seq: 4 },
  { type: 'pause', pid: 1, tid: 2, reason: 1, startNs: 1817114051101, stoppingNs: null, totalNs: 1234 },
  { type: 'assist', pid: 1, g: 824633720832, startNs: 5, durationNs: 1_000_000 },
  { type: 'assist', pid: 1, g: 824633720832, startNs: 5, durationNs: 1_000_000, goid: 18 },
  cycle,
  {
    type: 'histogram',
    of: 'assist',
    pid: 1,
    count: 3,
    sumNs: 9,
    maxNs: 5,
    failed: 1,
    buckets: [
      [2, 1],
      [5, 2],
    ],
  },
  {
    type: 'sampled',
    pid: 1,
    observedNs: 10_000_000,
    throughoutNs: 0,
    spanNs: 1_000_000_000,
    unfinished: 2,
    unfinishedNs: 120_000_000,
    lookVariance: 0.25,
  },
  {
    type: 'histogram',
    of: 'reclaimMemcg',
    pid: 1,
    count: 1,
    sumNs: 2_000_000,
    maxNs: 2_000_000,
    buckets: [[2_031_615, 1]],
    slow: 1,
    verySlow: 0,
    whileMarking: { count: 1, sumNs: 2_000_000 },
  },
  {
    type: 'counts',
    pid: 1,
    heapGrows: { count: 3, whileMarking: 1 },
    mmapFailures: { count: 0, whileMarking: 0 },
    allocationFailures: { count: 0, whileMarking: 0 },
    oomVictims: { count: 1, whileMarking: 0 },
    lostEvents: { count: 0, whileMarking: 0 },
    untoldWaits: { count: 2, whileMarking: 0 },
    untoldMemoryWaits: { count: 1, whileMarking: 1 },
    untimedWaits: { count: 1, whileMarking: 1 },
  },
  { type: 'wait', on: 'mmap', pid: 1, tid: 2, startNs: 5, durationNs: 2_000_000, marking: null, failed: false },
  {
    type: 'wait',
    on: 'connect',
    pid: 1,
    tid: 1,
    startNs: 5,
    durationNs: 7,
    marking: true,
    failed: true,
    peer: '[2001:db8::1]:443',
  },
  { type: 'exec', pid: 1, atNs: 9 },
  { type: 'triggerSet', id: 'psi1', seq: 3 },
  { type: 'triggerCleared', id: 'psi1', seq: 4 },
  { type: 'pressure', id: 'psi1', atNs: 9 },
  { type: 'pressureGone', id: 'psi1' },
  { type: 'lost', count: 7 },
  { type: 'flushed', seq: 1, atNs: 1 },
  { type: 'pong', seq: 0 },
];

/** The text with a few characters replaced, dropped, or put in. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.nat(text.length), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }));
  return fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) => edits.reduce((line, [at, drop, put]) => line.slice(0, at) + put + line.slice(at + drop), text));
}

/** Anything that may come down a pipe: noise, JSON, and events with something wrong about them. */
export const anyLine = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.constantFrom(...events).chain((event) => mutated(JSON.stringify(event))),
  fc
    .tuple(fc.constantFrom(...events), fc.dictionary(fc.constantFrom(...Object.keys(cycle)), fc.jsonValue()))
    .map(([event, members]) => JSON.stringify({ ...event, ...members })),
);
