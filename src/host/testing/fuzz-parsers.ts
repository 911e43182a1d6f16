import fc from 'fast-check';
import { expect } from 'vitest';
import { keyedReader } from '../cgroup/keyed.ts';
import {
  parseCount,
  parseCpuMax,
  parseCpuStatV1,
  parseCpuStatV2,
  parseEventsV2,
  parseLimitV1,
  parseLimitV2,
  parseMemoryStatV1,
  parseMemoryStatV2,
  parseOomKillV1,
  parseQuotaV1,
} from '../cgroup/parse.ts';
import { parseContainerPath } from '../container-path.ts';
import { keptDescriptors } from '../descriptor-budget.ts';
import { sumMetric } from '../exposition.ts';
import { libsslMappings, parseMapping } from '../maps-parse.ts';
import { parseCgroups, parseCommandLine, parseGoEnvironment, parseStat, parseStatus } from '../proc-parse.ts';
import { parsePressure } from '../psi.ts';
import { TcpTableReader } from '../tcp-table.ts';

const parsers: readonly ((text: string) => unknown)[] = [
  parseStat,
  parseStatus,
  parseCgroups,
  parseCommandLine,
  parseGoEnvironment,
  parsePressure,
  keyedReader(['anon', 'file', 'pgscan', '']),
  keptDescriptors,
  parseCount,
  parseCpuMax,
  parseCpuStatV1,
  parseCpuStatV2,
  parseEventsV2,
  parseLimitV1,
  parseLimitV2,
  parseMemoryStatV1,
  parseMemoryStatV2,
  parseOomKillV1,
  parseQuotaV1,
  parseContainerPath,
  parseMapping,
  libsslMappings,
  (text) => sumMetric(text, { name: 'robot_active_sessions', labels: { shard: '0' } }),
  (text) => sumMetric(`${text}\n# EOF`, { name: 'robot_active_sessions', format: 'openmetrics' }),
  (text) => tcpTable(text),
  (text) => tcpTable(`  sl  local_address \n${text}\n`),
];

function tcpTable(text: string): unknown {
  const reader = new TcpTableReader(8080);
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; at += 7) reader.push(bytes.subarray(at, at + 7));
  return reader.result();
}

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
export function fuzzParsers(normally: number): void {
  const wanted = Number(process.env.FUZZ_RUNS);
  const property = fc.property(text, (input) => {
    for (const parse of parsers) checkNumbers(parse(input));
  });
  fc.assert(property, { numRuns: wanted > 0 ? wanted : normally });
}

function checkNumbers(value: unknown): void {
  // A counter that is no number, or less than nothing, would break every share made of it.
  if (typeof value === 'number') expect(value).toBeGreaterThanOrEqual(0);
  else if (value instanceof Map) for (const inner of value.values()) checkNumbers(inner);
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) checkNumbers(inner);
}
