import { expect, it } from 'vitest';
import { fuzz } from '../../../test/support/fuzz/fuzz.ts';
import { mutate } from '../../../test/support/fuzz/mutate.ts';
import { LineSplitter } from './lines.ts';
import { maxLineBytes, parseEventLine } from './protocol.ts';
import { events } from './testing/event-lines.ts';

const corpus = events.map((event) => Buffer.from(`${JSON.stringify(event)}\n`));
const tokens = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '"type"',
  'null',
  'true',
  '\\u0000',
  '\\ud800',
  '"pid"',
  '0.5',
  '{"__proto__":',
  '"buckets"',
];

it('lines of the probe, cut anywhere, are events, unknown or invalid, and never longer than allowed', async () => {
  const report = await fuzz({
    name: 'probe NDJSON',
    make: (random) => ({
      bytes: Buffer.from(mutate(random, { corpus, tokens, maxBytes: 3 * maxLineBytes })),
      step: 1 + random.below(4096),
    }),
    take: ({ bytes, step }) => {
      const splitter = new LineSplitter(maxLineBytes);
      for (let at = 0; at < bytes.length; at += step) {
        for (const line of splitter.push(bytes.subarray(at, at + step))) {
          if (Buffer.byteLength(line) > 3 * maxLineBytes) throw new Error(`a line of ${line.length} characters`);
          const parsed = parseEventLine(line);
          if (parsed.kind === 'event' && !('type' in parsed.event)) throw new Error('an event without type');
        }
      }
    },
    peakBytes: 2 ** 30,
    show: ({ bytes, step }) => `${step} ${bytes.toString('base64').slice(0, 6000)}`,
  });
  expect(report.inputs).toBeGreaterThan(0);
});
