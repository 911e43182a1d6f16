import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingPeak } from './sliding-peak.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('the peak of a stretch', () => {
  it('is the largest that any of its minutes had, by the whole list', () => {
    const steps = fc.array(fc.record({ afterMs: fc.integer({ min: 1, max: 5 * MINUTE }), value: fc.nat(100) }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: HOUR }), (all, agoMs) => {
        const peak = new SlidingPeak(HOUR);
        let nowMs = 0;
        const seen = all.map(({ afterMs, value }) => {
          nowMs += afterMs;
          peak.push(nowMs, value);
          return { minute: Math.floor(nowMs / MINUTE), value };
        });
        const from = Math.floor((nowMs - agoMs) / MINUTE);
        const values = seen.filter(({ minute }) => minute >= from).map(({ value }) => value);
        expect(peak.since(nowMs - agoMs)).toBe(Math.max(...values));
      }),
    );
  });

  it('is forgotten after the hours that it is kept for, and unknown before anything was seen', () => {
    const peak = new SlidingPeak(HOUR);
    expect(peak.since(0)).toBeUndefined();
    peak.push(0, 100);
    for (let minute = 1; minute <= 90; minute++) peak.push(minute * MINUTE, 10);
    expect(peak.since(0)).toBe(10);
    expect(peak.since(100 * MINUTE)).toBeUndefined();
  });
});
