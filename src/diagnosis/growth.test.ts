/** A leak that shows within minutes, and what looks like one for a while. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveThresholds } from '../model/index.ts';
import { syntheticSpec, syntheticWindows } from '../model/testing.ts';
import { diagnose } from './diagnose.ts';

const MIB = 2 ** 20;
const spec = syntheticSpec();

interface Seen {
  readonly liveMib: number;
  readonly allocMib?: number;
}

function isLeak(seconds: number, seen: (second: number) => Seen): boolean {
  const windows = syntheticWindows(seconds, (second) => {
    const { liveMib, allocMib = 64 } = seen(second);
    const gc = { cpuShare: 0.1, heapLiveBytes: liveMib * MIB, allocBytesPerSecond: allocMib * MIB };
    return { gc, cgroup: { memoryLimitBytes: 8192 * MIB } };
  });
  return diagnose({ windows, spec, thresholds: deriveThresholds(spec) }).some(({ cause }) => cause === 'Leak');
}

const seconds = fc.integer({ min: 130, max: 600 });
const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 600, maxLength: 600 });
const size = fc.double({ min: 50, max: 2000, noNaN: true });

describe('growth within minutes', () => {
  it('is a leak where it goes on as it began, in any noise that is small beside it', () => {
    fc.assert(
      fc.property(seconds, size, noise, (span, grownMib, jitter) => {
        const seen = (second: number) => ({
          liveMib: 100 + grownMib * (second / span + 0.02 * (jitter[second] ?? 0)),
        });
        expect(isLeak(span, seen)).toBe(true);
      }),
    );
  });

  it('is a leak where it goes by the work, and there is less and less to do', () => {
    fc.assert(
      fc.property(
        seconds,
        size,
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        noise,
        (span, grownMib, wane, jitter) => {
          const done = (share: number) => share - (wane * share ** 2) / 2;
          const seen = (second: number) => ({
            liveMib: 100 + grownMib * (done(second / span) + 0.02 * (jitter[second] ?? 0)),
            allocMib: 64 * (1 - (wane * second) / span),
          });
          expect(isLeak(span, seen)).toBe(true);
        },
      ),
    );
  });

  it('is none of a cache of any size and pace, once a third of it is full', () => {
    fc.assert(
      fc.property(
        seconds,
        size,
        fc.double({ min: 0.5, max: 10, noNaN: true }),
        noise,
        (span, sizeMib, timesFull, jitter) => {
          const filled = (second: number) => sizeMib * (1 - Math.exp((-timesFull * second) / span));
          const seen = (second: number) => ({
            liveMib: 100 + filled(second) + 0.01 * filled(span) * (jitter[second] ?? 0),
          });
          expect(isLeak(span, seen)).toBe(false);
        },
      ),
    );
  });
});
