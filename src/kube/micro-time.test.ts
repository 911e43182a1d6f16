import fc from 'fast-check';
import { expect, test } from 'vitest';
import { microTime } from './micro-time.ts';

test('six fractional digits, always (L6)', () => {
  expect(microTime(0)).toBe('1970-01-01T00:00:00.000000Z');
  expect(microTime(1_700_000_000_123.456)).toBe('2023-11-14T22:13:20.123456Z');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 4e12, noNaN: true }), (wallMs) => {
      expect(microTime(wallMs)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(Date.parse(microTime(wallMs))).toBe(Math.floor(wallMs));
    }),
  );
});
