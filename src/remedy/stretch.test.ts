import { describe, expect, it } from 'vitest';
import { syntheticSpec, syntheticWindows, type WindowOver } from '../model/testing.ts';
import { stretchBefore } from './stretch.ts';

const spec = syntheticSpec({ actions: { verify: { window: '20s' } } });
/** A life of the container: its id, when it began and how long it lasted, in seconds. */
const life = (containerId: string, from: number, seconds: number, over: WindowOver = {}) =>
  syntheticWindows(seconds, () => ({ containerId, ...over }), from);
const secondsOf = (windows: ReturnType<typeof life>) => stretchBefore(windows, spec).map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('the stretch before an action', () => {
  it('is as long as the policy verifies afterwards', () => {
    expect(secondsOf(life('a', 0, 50))).toEqual(range(30, 50));
    expect(stretchBefore([], spec)).toEqual([]);
  });

  it('reaches beyond a restart of the container, such as by an OOM kill', () => {
    expect(secondsOf([...life('a', 0, 40), ...life('b', 42, 5)])).toEqual([...range(27, 40), ...range(42, 47)]);
    expect(secondsOf([...life('a', 0, 30), ...life('b', 31, 5), ...life('c', 37, 5)])).toEqual([
      ...range(22, 30),
      ...range(31, 36),
      ...range(37, 42),
    ]);
  });

  it.each<[string, WindowOver, WindowOver]>([
    ['another GOGC', { gc: { gogc: 200 } }, { gc: { gogc: 100 } }],
    ['another GOMEMLIMIT', { gc: { goMemLimitBytes: 2 ** 28 } }, {}],
    ['nobody knows which settings', {}, { gc: null }],
  ])('leaves out a life before it with %s', (_, before, now) => {
    expect(secondsOf([...life('a', 0, 40, before), ...life('b', 42, 5, now)])).toEqual(range(42, 47));
  });
});
