import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachRequestSchema, commandSchema, eventSchema, type ProbeEvent, parseEventLine } from './protocol.ts';
import { goLayout } from './testing/points.ts';

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
const events: ProbeEvent[] = [
  { type: 'ready', protocol: 1, version: '0.1.0', attach: 'uprobe_multi', kernel: '6.18.44' },
  { type: 'attached', id: 'a', points: 10, attach: 'perf', seq: 1 },
  { type: 'detached', id: 'a' },
  { type: 'watching', pid: 12, seq: 2 },
  { type: 'unwatched', pid: 12 },
  { type: 'gone', pid: 12 },
  { type: 'error', code: 'SOME_NEWER_CODE', message: 'what, to what, what to do', pid: 3, id: 'a', seq: 4 },
  { type: 'pause', pid: 1, tid: 2, reason: 1, startNs: 1817114051101, stoppingNs: null, totalNs: 1234 },
  { type: 'assist', pid: 1, g: 824633720832, startNs: 5, durationNs: 1_000_000 },
  cycle,
  {
    type: 'assistHistogram',
    pid: 1,
    count: 3,
    sumNs: 9,
    maxNs: 5,
    buckets: [
      [2, 1],
      [5, 2],
    ],
  },
  { type: 'lost', count: 7 },
  { type: 'flushed', seq: 1, atNs: 1 },
  { type: 'pong', seq: 0 },
];

describe('parseEventLine', () => {
  it.each(events.map((event) => [event.type, event] as const))('reads %s', (_, event) => {
    expect(parseEventLine(JSON.stringify(event))).toEqual({ kind: 'event', event });
  });

  it('has an example of every type', () => {
    const types = eventSchema.options.map((option) => option.shape.type.value);
    expect(new Set(events.map((event) => event.type))).toEqual(new Set(types));
  });

  it('passes over types and members that only a newer probe knows', () => {
    expect(parseEventLine('{"type":"mmap","pid":1}')).toEqual({ kind: 'unknown', type: 'mmap' });
    expect(parseEventLine('{"type":"pong","seq":1,"more":true}')).toEqual({
      kind: 'event',
      event: { type: 'pong', seq: 1 },
    });
  });

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"type":1}',
    '{"type":"pong"}',
    '{"type":"pong","seq":-1}',
    '{"type":"lost","count":0}',
    '{"type":"pause","pid":0,"tid":1,"reason":1,"startNs":1,"stoppingNs":1,"totalNs":1}',
    '{"type":"assistHistogram","pid":1,"count":1,"sumNs":1,"maxNs":1,"buckets":[[1]]}',
    '{"type":"pong","seq":1',
  ])('refuses %s', (line) => {
    expect(parseEventLine(line).kind).toBe('invalid');
  });

  it('never throws, whatever the line', () => {
    const runs = Number(process.env.FUZZ_RUNS ?? 2_000);
    const anyLine = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom(...events).chain((event) => mutated(JSON.stringify(event))),
      fc
        .tuple(fc.constantFrom(...events), fc.dictionary(fc.constantFrom(...Object.keys(cycle)), fc.jsonValue()))
        .map(([event, members]) => JSON.stringify({ ...event, ...members })),
    );
    fc.assert(
      fc.property(anyLine, (line) => {
        expect(['event', 'unknown', 'invalid']).toContain(parseEventLine(line).kind);
      }),
      { numRuns: runs },
    );
  });
});

/** The text with a few characters replaced, dropped, or put in. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.nat(text.length), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }));
  return fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) => edits.reduce((line, [at, drop, put]) => line.slice(0, at) + put + line.slice(at + drop), text));
}

describe('commands', () => {
  const request = { id: 'a', file: '/proc/1/exe', points: [{ point: 'stwEntry', offset: 1, bytes: '55' }] };

  it('take a whole attachment', () => {
    expect(attachRequestSchema.safeParse({ ...request, layout: goLayout }).success).toBe(true);
    const { sweepDistMinTrigger: _, ...older } = goLayout;
    expect(attachRequestSchema.safeParse({ ...request, layout: older }).success).toBe(true);
  });

  it.each([
    ['a relative path', { ...request, file: 'bin' }],
    ['no points', { ...request, points: [] }],
    ['too many points', { ...request, points: Array(17).fill(request.points[0]) }],
    ['upper-case hex', { ...request, points: [{ point: 'stwEntry', offset: 1, bytes: 'C3' }] }],
    ['half a byte', { ...request, points: [{ point: 'stwEntry', offset: 1, bytes: '5' }] }],
    ['a point that does not exist', { ...request, points: [{ point: 'main', offset: 1, bytes: '55' }] }],
    ['a layout beyond what is copied', { ...request, layout: { ...goLayout, heapLive: 505 } }],
    ['half a layout', { ...request, layout: { gcPercent: 0 } }],
  ])('refuse %s', (_, bad) => {
    expect(attachRequestSchema.safeParse(bad).success).toBe(false);
  });

  it('need a process to watch', () => {
    expect(commandSchema.safeParse({ cmd: 'watch', pid: 0, id: 'a' }).success).toBe(false);
    expect(commandSchema.safeParse({ cmd: 'watch', pid: 1, id: 'a' }).success).toBe(true);
  });
});
