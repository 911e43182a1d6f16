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

  it('says of the usual events what their schemas say, also where a member is odd, lacking, or one too many', () => {
    const usual = events.filter(({ type }) => ['pause', 'cycle', 'histogram', 'counts'].includes(type));
    const odd = fc.constantFrom<unknown>(
      ...[undefined, null, true, 0, -1, 0.5, 1e300, 2 ** 53, '', 'assist', 'pause', [], [[1, 1]], [[1]], [[0.5, 0]]],
      ...[{}, { count: 1, sumNs: 1 }, { count: 1, whileMarking: 0 }, { count: 1, whileMarking: 0.5 }],
    );
    const member = fc.constantFrom(
      ...new Set(usual.flatMap((event) => Object.keys(event))),
      'more',
      'restartNs',
      'failed',
    );
    fc.assert(
      fc.property(fc.constantFrom(...usual), member, odd, (event, name, value) => {
        const line = JSON.stringify({ ...event, [name]: value });
        const bySchema = eventSchema.safeParse(JSON.parse(line));
        const parsed = parseEventLine(line);
        if (bySchema.success) expect(parsed).toEqual({ kind: 'event', event: bySchema.data });
        else expect(parsed.kind).not.toBe('event');
      }),
      { numRuns: 3_000 },
    );
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
