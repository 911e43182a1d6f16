import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyedReader } from './keyed.ts';

/** The plain way: a regular expression for each line. The first line of a key counts. */
function plainly(text: string, keys: readonly string[]): (number | undefined)[] {
  const values = new Map<string, number | undefined>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    const key = line.slice(0, space);
    if (space < 0 || values.has(key)) continue;
    const value = line.slice(space + 1);
    values.set(key, /^\d{1,20}$/.test(value) ? Number(value) : undefined);
  }
  return keys.map((key) => values.get(key));
}

const keys = ['anon', 'file', 'file_mapped', 'pgscan', 'oom', 'oom_kill'];
const key = fc.constantFrom(...keys, 'inactive_file', 'an');
const value = fc.oneof(fc.nat().map(String), fc.constantFrom('', '-1', '1.5', 'x', '9'.repeat(21), '7 ', ' 7', '0x1'));
const line = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(key, value).map(([k, v]) => `${k} ${v}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

test('property: the same as line by line, in whatever order keys are asked for and stand', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.shuffledSubarray(keys), fc.boolean(), (lines, wanted, ended) => {
      // Two lines of one key do not exist; which of them counts would depend on the order asked.
      const once = lines.filter((l, i) => lines.findIndex((m) => m.split(' ')[0] === l.split(' ')[0]) === i);
      const text = once.join('\n') + (ended ? '\n' : '');
      const got = keyedReader(wanted)(text);
      const expected = plainly(text, wanted);
      expect(got.length).toBe(expected.length);
      for (const [index, number] of got.entries()) {
        // Digit by digit rounds differently from Number() above 2^53.
        if (number === undefined || expected[index] === undefined) expect(number).toBe(expected[index]);
        else expect(Math.abs(number - (expected[index] ?? 0))).toBeLessThanOrEqual(1e-12 * number);
      }
    }),
  );
});
