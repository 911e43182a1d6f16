import fc from 'fast-check';
import { expect } from 'vitest';
import { brokenNumber, foreignTexts } from './foreign-text.ts';

/** Pieces of the formats, so that noise reaches the inside of the parsers. */
const piece = fc.constantFrom(
  'some avg10=',
  'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n',
  'full avg10=0.00 avg60=0.00 avg300=0.00 total=1',
  'anon 1\nfile 2\n',
  '\npgscan ',
  'low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n',
  'usage_usec 1\nnr_periods ',
  'total_rss 7\ncache 8\n',
  '-1',
  'Max open files  ',
  'NSpid:\t',
  'VmRSS:\t',
  ' kB',
  '0::/',
  '4:memory:/',
  '/kubepods/pod',
  '12 (robot) S ',
  '1 '.repeat(25),
  '7f10-7f20 r-xp 0 fe:00 42 ',
  '/libssl.so.3',
  'GOGC=',
  '\0',
  '\n',
  'robot_active_sessions',
  '{shard="0"',
  '"',
  '\\',
  ',',
  '}',
  ' 1',
  ' # {trace_id="a"} 1',
  '# TYPE robot_active_sessions counter\n',
  '_total',
  '   0: 0100007F:1F90 ',
  '0000000000000000FFFF00000100007F:1F90 ',
  '00000000:0000 0A ',
  ' 01 ',
  'max',
  '1e999',
  'NaN',
  '9'.repeat(25),
);
const text = fc
  .array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 25 })
  .map((pieces) => pieces.join(''));

/** Every parser takes every text without throwing, and no counter it gives is negative or not a number. */
export function fuzzParsers(numRuns: number): void {
  const property = fc.property(text, (input) => {
    for (const { name, parse, signed } of foreignTexts)
      expect(brokenNumber(parse(input), signed), name).toBeUndefined();
  });
  fc.assert(property, { numRuns });
}
