/** What windows say of what nobody saw, and of the runtime's limiter. */
import { describe, expect, test } from 'vitest';
import type { GcLimiter } from '../../host/index.ts';
import { SignalWindow } from '../../model/index.ts';
import { cycleEvent, quietSecond } from '../testing/events.ts';
import type { Observed } from './window-builder.ts';
import { WindowBuilder } from './window-builder.ts';

const subject = { pod: { namespace: 'robots', name: 'dispatch-0', uid: 'u1' }, container: 'robot', containerId: 'c1' };
const closed = (observed: Partial<Observed>): SignalWindow => {
  const window = new WindowBuilder(subject).close(quietSecond(observed));
  expect(SignalWindow.parse(window)).toEqual(window);
  return window;
};

describe('a window', () => {
  test('names what was not observed, and holds no such part where it may be left out', () => {
    const window = closed({ missing: ['gcStall', 'kernelMemory', 'network.connect'] });
    expect(window.missing).toEqual(['gcStall', 'kernelMemory', 'network.connect']);
    expect(window).not.toHaveProperty('kernelMemory');
    expect(window).toHaveProperty('network');
    expect(closed({})).not.toHaveProperty('missing');
  });

  describe('tells of the limiter', () => {
    const busy = { cycles: [cycleEvent({ pid: 1, atNs: 5 })] };
    const on: GcLimiter = { isOn: true, lastCycle: 7 };
    const off: GcLimiter = { isOn: false, lastCycle: 7 };
    const later: GcLimiter = { isOn: false, lastCycle: 9 };
    const second = (before: GcLimiter | null, after: GcLimiter | null, works: boolean): boolean | undefined => {
      const builder = new WindowBuilder(subject);
      const of = (limiter: GcLimiter | null) => ({ limiters: new Map(limiter ? [[1, limiter]] : []) });
      builder.close(quietSecond({ ...busy, ...of(before) }));
      return builder.close(
        quietSecond({ ...(works ? { cycles: [cycleEvent({ pid: 1, atNs: 9 })] } : {}), ...of(after) }),
      ).gc?.limiterOn;
    };

    test.each([
      { what: 'on while the collector works', before: off, after: on, works: true, limiterOn: true },
      { what: 'left on by a program at rest', before: on, after: on, works: false, limiterOn: false },
      { what: 'switched on and off again', before: off, after: later, works: true, limiterOn: true },
      { what: 'off', before: off, after: off, works: true, limiterOn: false },
      { what: 'seen for the first time', before: null, after: off, works: true, limiterOn: false },
      { what: 'not to be read', before: off, after: null, works: true, limiterOn: undefined },
    ])('$what: $limiterOn', ({ before, after, works, limiterOn }) => {
      expect(second(before, after, works)).toBe(limiterOn);
    });
  });
});
