/** The parser of the probe's lines, for FUZZ_SECONDS (default 300) instead of a moment. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseEventLine } from './protocol.ts';
import { anyLine } from './testing/event-lines.ts';

it('never throws, whatever the line', () => {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 300);
  fc.assert(
    fc.property(anyLine, (line) => {
      expect(['event', 'unknown', 'invalid']).toContain(parseEventLine(line).kind);
    }),
    { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1_000 },
  );
});
