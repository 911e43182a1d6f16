import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProfile } from './decode.ts';
import { ProfileError } from './model.ts';
import { cpuTypes, encodeProfile } from './test-support.ts';
import { countSamples } from './wire.ts';

const sample = encodeProfile(cpuTypes, [
  { stack: ['runtime.scanobject', 'runtime.gcDrain', 'runtime.gcBgMarkWorker'], values: [3, 30_000_000n] },
  { stack: ['main.handle', 'main.main'], values: [7, 70_000_000n] },
]);

const bytes = (...parts: (number | number[])[]) => Uint8Array.from(parts.flat());
/** A field of type bytes. */
const field = (number: number, content: readonly number[]) => [(number << 3) | 2, content.length, ...content];

describe('decodeProfile', () => {
  it('resolves stacks, types and times', () => {
    const profile = decodeProfile(sample);
    expect(profile).toMatchObject({
      sampleTypes: [
        { type: 'samples', unit: 'count' },
        { type: 'cpu', unit: 'nanoseconds' },
      ],
      durationNs: 10_000_000_000,
      timeNs: 1_772_000_000_000_000_000,
      period: 10_000_000,
    });
    expect(profile.samples.map(({ values, stack }) => [values, stack.map((frame) => frame.function)])).toEqual([
      [
        [3, 30_000_000],
        ['runtime.scanobject', 'runtime.gcDrain', 'runtime.gcBgMarkWorker'],
      ],
      [
        [7, 70_000_000],
        ['main.handle', 'main.main'],
      ],
    ]);
    expect(profile.samples[1]?.stack[0]).toEqual({ function: 'main.handle', file: 'main.handle', line: 40 });
  });

  it('gives back any values, negative ones of delta profiles too', () => {
    const value = fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n });
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ stack: fc.array(fc.string({ minLength: 1 }), { maxLength: 6 }), values: fc.tuple(value, value) }),
          { maxLength: 10 },
        ),
        (rows) => {
          const profile = decodeProfile(encodeProfile(cpuTypes, rows));
          expect(profile.samples.map(({ values }) => values)).toEqual(rows.map(({ values }) => values.map(Number)));
          expect(profile.samples.map(({ stack }) => stack.map((frame) => frame.function))).toEqual(
            rows.map(({ stack }) => stack),
          );
        },
      ),
    );
  });

  const unended = Array.from({ length: 11 }, () => 0xff);
  it.each<[string, Uint8Array, ProfileError['code']]>([
    ['nothing', bytes(), 'inconsistent'],
    ['a field cut off', bytes(0x0a), 'malformed'],
    ['a length beyond the end', bytes(0x0a, 5, 1), 'malformed'],
    ['a length of many bytes', bytes(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), 'malformed'],
    ['a number without an end', bytes(0x48, unended), 'malformed'],
    ['a packed number without an end', bytes(field(2, field(1, [0x80]))), 'malformed'],
    ['a fixed64', bytes(0x09, 1, 2, 3, 4, 5, 6, 7, 8), 'malformed'],
    ['a group', bytes(0x0b), 'malformed'],
    ['a large field number', bytes(0x82, 0x01, 0), 'malformed'],
    ['a number in place of a message', bytes(0x08, 1), 'malformed'],
    ['bytes in place of a number', bytes(field(9, [1])), 'malformed'],
    ['a string that is not there', bytes(field(1, [0x08, 9])), 'inconsistent'],
    ['a sample without values', bytes(field(1, []), field(6, []), field(2, [])), 'inconsistent'],
    [
      'a location that is not there',
      bytes(field(1, []), field(6, []), field(2, [...field(1, [5]), ...field(2, [1])])),
      'inconsistent',
    ],
    [
      'a function that is not there',
      bytes(field(1, []), field(6, []), field(4, [0x08, 1, ...field(4, [0x08, 9])])),
      'inconsistent',
    ],
  ])('refuses %s', (_what, given, code) => {
    expect(() => decodeProfile(given)).toThrow(expect.objectContaining({ name: 'ProfileError', code }));
  });

  it('is linear also in numbers made to be slow', () => {
    const begun = performance.now();
    expect(() => decodeProfile(new Uint8Array(8_000_000).fill(0xff))).toThrow(ProfileError);
    const hostile = Uint8Array.from([
      ...field(1, []),
      0x12,
      0x80,
      0x80,
      0x80,
      0x04,
      0x0a,
      0xfb,
      0xff,
      0xff,
      0x03,
      ...new Uint8Array(8_388_603).fill(0x80),
    ]);
    expect(() => decodeProfile(hostile)).toThrow(ProfileError);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('bounds the frames that a few bytes can unfold to', () => {
    const lines = Array.from({ length: 20_000 }, () => field(4, [0x08, 1])).flat();
    const location = [0x08, 1, ...lines];
    const ids = Array.from({ length: 20_000 }, () => 1);
    const long = (number: number, content: number[]) => {
      const { length } = content;
      return [(number << 3) | 2, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14, ...content];
    };
    const bomb = Uint8Array.from([
      ...field(1, []),
      ...field(6, []),
      ...field(5, [0x08, 1]),
      ...long(4, location),
      ...long(2, [...long(1, ids), ...field(2, [1])]),
    ]);
    expect(() => decodeProfile(bomb)).toThrow(
      expect.objectContaining({ code: 'inconsistent', message: expect.stringContaining('frames') }),
    );
  });

  it('counts samples without decoding', () => {
    expect(countSamples(sample)).toBe(2);
    expect(countSamples(new Uint8Array(0))).toBe(0);
  });

  it('answers any bytes with a profile or a ProfileError', () => {
    const mutated = fc
      .tuple(fc.nat(sample.length - 1), fc.nat(255), fc.nat(sample.length))
      .map(([at, value, length]) => {
        const copy = Uint8Array.from(sample);
        copy[at] = value;
        return copy.subarray(0, Math.max(length, at));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (given) => {
        try {
          expect(decodeProfile(given).sampleTypes.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(ProfileError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
