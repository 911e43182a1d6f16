import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachRequestSchema, commandSchema, eventSchema, maxPointsPerAttachment, parseEventLine } from './protocol.ts';
import { anyLine, events } from './testing/event-lines.ts';
import { goLayout } from './testing/points.ts';

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
    '{"type":"histogram","of":"assist","pid":1,"count":1,"sumNs":1,"maxNs":1,"buckets":[[1]]}',
    '{"type":"pong","seq":1',
  ])('refuses %s', (line) => {
    expect(parseEventLine(line).kind).toBe('invalid');
  });

  it('never throws, whatever the line', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        expect(['event', 'unknown', 'invalid']).toContain(parseEventLine(line).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});

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
    ['too many points', { ...request, points: Array(maxPointsPerAttachment + 1).fill(request.points[0]) }],
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
