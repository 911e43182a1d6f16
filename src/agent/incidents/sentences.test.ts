import { expect, it } from 'vitest';
import type { SignalName, SignalUnit } from '../../api/index.ts';
import { breachSentence } from './sentences.ts';

it.each<[SignalName, SignalUnit, number, number, string]>([
  ['gcStallP99', 'ns', 41_230_000, 30_000_000, 'GC stall P99 reached 41.2 ms, limit 30 ms'],
  ['gcCpuShare', 'ratio', 0.1234, 0.05, 'GC CPU share reached 12.3 %, limit 5 %'],
  ['gcRate', '1/s', 12.5, 8, 'GC cycles reached 12.5/s, limit 8/s'],
  ['oomKills', 'count', 2, 0, 'OOM kills reached 2, limit 0'],
  ['heapLive', 'bytes', 600 * 2 ** 20, 512 * 2 ** 20, 'live heap reached 600 MiB, limit 512 MiB'],
  ['allocationRate', 'bytes/s', 300 * 2 ** 20, 256 * 2 ** 20, 'allocation reached 300 MiB/s, limit 256 MiB/s'],
  ['gcLimiter', 'flag', 1, 0, 'GC CPU limiter reached on, limit off'],
])('tells a breach of %s in its own unit', (signal, unit, observed, threshold, sentence) => {
  const firstBreachAt = '2026-01-01T00:00:00.000Z';
  expect(
    breachSentence({
      type: 'breach',
      signal,
      unit,
      observed,
      threshold,
      breachingWindows: 3,
      ofWindows: 5,
      firstBreachAt,
    }),
  ).toBe(`${sentence}, in 3 of 5 seconds; capturing evidence.`);
});
