/** What Go's own reader of execution traces finds in one: the program `testdata/traceranges`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildOnce } from '../../../gobin/testing/go-toolchain.ts';

const rangeSchema = z.object({ name: z.string(), g: z.int(), startNs: z.int(), endNs: z.int() });
/** One stop of the world or one assist; times on CLOCK_MONOTONIC, by the trace's own clock snapshots. */
export type TraceRange = z.infer<typeof rangeSchema>;

/** In the order in which they began. Traces of Go 1.25 and later: older ones have no clock snapshots. */
export function rangesOf(traceFile: string): TraceRange[] {
  const directory = fileURLToPath(new URL('../testdata/traceranges', import.meta.url));
  const reader = buildOnce('1.26.8', directory, 'traceranges', [], { CGO_ENABLED: '0' });
  const lines = execFileSync(reader, { input: readFileSync(traceFile), encoding: 'utf8', maxBuffer: 1 << 28 });
  const ranges = lines
    .trim()
    .split('\n')
    .map((line) => rangeSchema.parse(JSON.parse(line)));
  return ranges.sort((a, b) => a.startNs - b.startNs);
}
