import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pod, policy } from '../testing/objects.ts';
import { activityOf } from './activity-source.ts';

const robots = (count: number) => ({ kind: 'given', activity: { kind: 'count', robots: count } });
const unknown = (reason: string, words: string) => ({
  kind: 'given',
  activity: { kind: 'unknown', reason, message: expect.stringContaining(words) },
});
const annotations = { active: '1200', spaced: ' 7 ', half: '0.5', many: 'many', negative: '-1', hex: '0x10', none: '' };

describe('where robots are counted', () => {
  test.each([
    {
      activity: { podMetric: { port: 9090, name: 'robots' } },
      ip: '10.0.0.7',
      is: { kind: 'metric', url: 'http://10.0.0.7:9090/metrics', name: 'robots' },
    },
    {
      activity: { podMetric: { port: 9090, name: 'robots', path: '/m', labels: { state: 'active' } } },
      ip: 'fd00::7',
      is: { kind: 'metric', url: 'http://[fd00::7]:9090/m', name: 'robots', labels: { state: 'active' } },
    },
    { activity: { podMetric: { port: 9090, name: 'robots' } }, ip: '', is: unknown('no-address', 'no address yet') },
    { activity: { tcpConnections: { port: 8080 } }, ip: '', is: { kind: 'connections', port: 8080 } },
    { activity: { annotation: 'active' }, ip: '', is: robots(1200) },
    { activity: { annotation: 'spaced' }, ip: '', is: robots(7) },
    { activity: { annotation: 'half' }, ip: '', is: robots(0.5) },
    { activity: { annotation: 'absent' }, ip: '', is: unknown('annotation-missing', 'no annotation absent') },
    { activity: { annotation: 'toString' }, ip: '', is: unknown('annotation-missing', 'no annotation toString') },
    { activity: { annotation: 'many' }, ip: '', is: unknown('not-a-count', 'many is "many"') },
    { activity: { annotation: 'negative' }, ip: '', is: unknown('not-a-count', 'write a number from 0') },
    { activity: { annotation: 'hex' }, ip: '', is: unknown('not-a-count', '"0x10"') },
    { activity: { annotation: 'none' }, ip: '', is: unknown('not-a-count', 'is ""') },
    { activity: undefined, ip: '10.0.0.7', is: null },
  ])('by $activity of a pod at "$ip"', ({ activity, ip, is }) => {
    const one = pod('dispatch-0', { metadata: { annotations }, status: { podIP: ip } });
    expect(activityOf(policy('dispatch', activity ? { activity } : {}), one)).toEqual(is);
  });

  test('whatever an annotation holds, it is a count from 0 or a reason', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.double().map(String), fc.bigInt().map(String));
    const byAnnotation = policy('dispatch', { activity: { annotation: 'active' } });
    fc.assert(
      fc.property(text, (active) => {
        const source = activityOf(byAnnotation, pod('dispatch-0', { metadata: { annotations: { active } } }));
        if (source?.kind !== 'given') throw new Error('an annotation is given');
        if (source.activity.kind === 'count') expect(source.activity.robots).toBe(Math.abs(Number(active)));
        else expect(source.activity.reason).toBe('not-a-count');
      }),
    );
  });

  test('the document that an annotation may hold is not kept', () => {
    const document = 'x'.repeat(100_000);
    const { metadata } = pod('dispatch-0', { metadata: { annotations: { document, short: 'y'.repeat(64) } } });
    expect(metadata.annotations).toEqual({ document: '…', short: 'y'.repeat(64) });
  });
});
