import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyRhythm, type Rhythm } from './classify.ts';
import type { AllocationSeries } from './series.ts';
import { confusionOf } from './testing/confusion.ts';
import { unpackRecordings } from './testing/recordings.ts';
import { type Stream, synthesize } from './testing/synthetic.ts';

/** A sampler that is late at times, never for so long in all that it refuses to judge: see "does not guess". */
const sampling = fc.record({
  seed: fc.nat(),
  durationMs: fc.constant(3_000),
  everyMs: fc.constantFrom(2, 3),
  lateShare: fc.double({ min: 0, max: 0.05, noNaN: true }),
  lateMs: fc.double({ min: 1, max: 15, noNaN: true }),
});
const smallObjects = fc.array(fc.constantFrom(48, 64, 128, 256, 512, 1024), { minLength: 2, maxLength: 5 });
const largeObjects = fc.array(fc.constantFrom(4096, 8192, 12_288, 16_384), { minLength: 1, maxLength: 3 });
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Streams are drawn by the bytes they allocate, so that each is well above what spans let through. */
const rate = fc.double({ min: 1.5e6, max: 30e6, noNaN: true });
const random = (objectBytes: readonly number[], bytesPerSecond: number): Stream => ({
  objectBytes,
  arrivals: { kind: 'random', perSecond: bytesPerSecond / sum(objectBytes) },
});
const beat = (objectBytes: readonly number[], bytesPerSecond: number, periodMs: number, jitter: number): Stream => ({
  objectBytes,
  arrivals: {
    kind: 'beat',
    periodMs,
    jitter,
    eventsPerBeat: Math.max(1, Math.round((bytesPerSecond * periodMs) / 1e3 / sum(objectBytes))),
  },
});
const period = fc.double({ min: 20, max: 150, noNaN: true });
const jitter = fc.double({ min: 0, max: 0.15, noNaN: true });
/** Recognition is statistical, so the draw is fixed: what is seen once is seen each time. */
const runs = { numRuns: 25, seed: 1 };
/** A program that allocates in two or three sizes only fills their spans at regular times. */
const isHiddenBySpans = ({ kind, reason }: Rhythm): boolean => kind === 'unknown' && reason.includes('spans');

describe('rhythm of generated programs', () => {
  it('hears messages that arrive at random', () => {
    let hidden = 0;
    fc.assert(
      fc.property(smallObjects, rate, sampling, (objects, bytesPerSecond, options) => {
        const rhythm = classifyRhythm(synthesize([random(objects, bytesPerSecond)], options));
        expect(rhythm).not.toHaveProperty('periodMs');
        if (isHiddenBySpans(rhythm)) hidden += 1;
        else expect(rhythm).toMatchObject({ kind: 'message' });
        if (rhythm.kind === 'message') expect(rhythm.confidence).toBeGreaterThan(0.8);
      }),
      runs,
    );
    expect(hidden / runs.numRuns).toBeLessThan(0.15);
  });

  it('hears a timer, and its period within 2 %', () => {
    fc.assert(
      fc.property(
        smallObjects,
        rate,
        period,
        jitter,
        sampling,
        (objects, bytesPerSecond, periodMs, jitterShare, options) => {
          const rhythm = classifyRhythm(synthesize([beat(objects, bytesPerSecond, periodMs, jitterShare)], options));
          expect(rhythm.kind).toBe('timer');
          expect(Math.abs((rhythm.periodMs ?? 0) / periodMs - 1)).toBeLessThan(0.02);
        },
      ),
      runs,
    );
  });

  it('hears a state machine, on a beat or not', () => {
    fc.assert(
      fc.property(largeObjects, rate, fc.option(period), sampling, (objects, bytesPerSecond, periodMs, options) => {
        const stream =
          periodMs === null ? random(objects, bytesPerSecond) : beat(objects, bytesPerSecond, periodMs, 0.05);
        const rhythm = classifyRhythm(synthesize([stream], options));
        expect(rhythm.kind).toBe('stateMachine');
        if (periodMs === null) expect(rhythm).not.toHaveProperty('periodMs');
        else expect(Math.abs((rhythm.periodMs ?? 0) / periodMs - 1)).toBeLessThan(0.02);
      }),
      runs,
    );
  });

  it('hears a mixture', () => {
    fc.assert(
      fc.property(
        smallObjects,
        largeObjects,
        rate,
        period,
        sampling,
        (small, large, bytesPerSecond, periodMs, options) => {
          const streams = [
            random(small, bytesPerSecond),
            beat(small, bytesPerSecond, periodMs, 0.05),
            random(large, bytesPerSecond),
          ];
          expect(classifyRhythm(synthesize(streams, options)).kind).toBe('mixed');
        },
      ),
      runs,
    );
  });

  it('does not guess when its sampler was kept waiting', () => {
    const options = { seed: 7, durationMs: 3_000, everyMs: 2, lateShare: 0.3, lateMs: 40 };
    const rhythm = classifyRhythm(synthesize([beat([256, 512], 8e6, 10, 0)], options));
    expect(rhythm).toMatchObject({ kind: 'unknown', confidence: 0 });
    expect(rhythm.reason).toMatch(/kept waiting/);
  });

  it('is half sure at most where object sizes are not known', () => {
    fc.assert(
      fc.property(smallObjects, rate, sampling, (objects, bytesPerSecond, options) => {
        const { samples } = synthesize([random(objects, bytesPerSecond)], options);
        const rhythm = classifyRhythm({ samples, allocated: null });
        if (!isHiddenBySpans(rhythm)) expect(rhythm.kind).toBe('message');
        expect(rhythm.confidence).toBeLessThanOrEqual(0.5);
      }),
      runs,
    );
  });
});

describe('rhythm of any series', () => {
  const anySeries: fc.Arbitrary<AllocationSeries> = fc.record({
    samples: fc.array(fc.record({ atNs: fc.double(), totalAllocBytes: fc.double() }), { maxLength: 60 }),
    allocated: fc.option(
      fc.record({
        classes: fc.array(fc.record({ sizeBytes: fc.nat(), objects: fc.nat() })),
        largeBytes: fc.nat(),
        largeObjects: fc.nat(),
      }),
    ),
  });

  it('never throws, and is sure between 0 and 1', () => {
    fc.assert(
      fc.property(anySeries, (series) => {
        const { confidence, kind } = classifyRhythm(series);
        expect(confidence).toBeGreaterThanOrEqual(0);
        expect(confidence).toBeLessThanOrEqual(1);
        expect(kind === 'unknown').toBe(confidence === 0);
      }),
    );
  });

  it('does not depend on when the clock and the count began', () => {
    fc.assert(
      fc.property(
        smallObjects,
        rate,
        period,
        sampling,
        fc.nat(),
        (objects, bytesPerSecond, periodMs, options, shift) => {
          const series = synthesize([beat(objects, bytesPerSecond, periodMs, 0)], options);
          const samples = series.samples.map(({ atNs, totalAllocBytes }) => ({
            atNs: atNs - 1e12 + shift,
            totalAllocBytes: totalAllocBytes + shift,
          }));
          expect(classifyRhythm({ ...series, samples })).toEqual(classifyRhythm(series));
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ['an idle program', [random([64], 1_000)]],
    ['a program that allocates three times', [beat([512, 1024], 4e6, 1_000, 0)]],
  ])('says unknown of %s', (_, streams) => {
    const options = { seed: 1, durationMs: 3_000, everyMs: 2, lateShare: 0, lateMs: 0 };
    const rhythm = classifyRhythm(synthesize(streams, options));
    expect(rhythm).toMatchObject({ kind: 'unknown', confidence: 0 });
    expect(rhythm.reason).toMatch(/too few/);
  });
});

describe('rhythm of the recorded robot', () => {
  const recordings = unpackRecordings(readFileSync(new URL('testdata/recordings.ndjson.gz', import.meta.url)));

  it('confuses no kind in at least ten recordings each; what spans hide it does not guess', () => {
    const confusion = confusionOf(recordings);
    const found = Object.fromEntries([...confusion].map(([kind, row]) => [kind, Object.fromEntries(row)]));
    expect(found).toEqual({
      message: { message: 11 },
      stateMachine: { stateMachine: 11 },
      // 200 sessions tick 15 KB on each beat of 10 ms.
      timer: { timer: 10, unknown: 1 },
      mixed: { mixed: 11 },
    });
  });

  const beating = recordings.filter(
    ({ series, periodMs }) => periodMs !== null && classifyRhythm(series).kind !== 'unknown',
  );
  it.each(beating)('finds the period of $name', ({ series, periodMs }) => {
    expect(Math.abs((classifyRhythm(series).periodMs ?? 0) / (periodMs ?? 1) - 1)).toBeLessThan(0.02);
  });
});
