/** Every parser of this room that reads what others wrote, and real samples of what it reads. */
import { readFileSync } from 'node:fs';
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
import { formatOf, sumMetric } from '../exposition.ts';
import { libsslMappings, parseMapping } from '../maps-parse.ts';
import { parseCgroups, parseCommandLine, parseGoEnvironment, parseStat, parseStatus } from '../proc-parse.ts';
import { parsePressure } from '../psi.ts';
import { TcpTableReader } from '../tcp-table.ts';
import * as samples from './samples.ts';

export interface ForeignText {
  readonly name: string;
  readonly parse: (text: string) => unknown;
  readonly samples: readonly string[];
  /** What it gives may be below zero: whether that can be counted is asked elsewhere. */
  readonly signed?: true;
  /** Files of this machine that hold the same. */
  readonly files?: readonly string[];
}

const query = { name: 'robot_active_sessions', labels: { shard: '0' } };

export const foreignTexts: readonly ForeignText[] = [
  {
    name: 'PSI',
    parse: parsePressure,
    samples: samples.pressure,
    files: ['/proc/pressure/memory', '/proc/pressure/cpu', '/proc/pressure/io'],
  },
  { name: 'memory.stat v2', parse: parseMemoryStatV2, samples: samples.memoryStatV2 },
  {
    name: 'memory.stat v1',
    parse: parseMemoryStatV1,
    samples: samples.memoryStatV1,
    files: ['/sys/fs/cgroup/memory/memory.stat'],
  },
  { name: 'memory.events v2', parse: parseEventsV2, samples: samples.memoryEvents },
  {
    name: 'memory.oom_control v1',
    parse: parseOomKillV1,
    samples: samples.oomControl,
    files: ['/sys/fs/cgroup/memory/memory.oom_control'],
  },
  { name: 'cpu.stat v2', parse: parseCpuStatV2, samples: samples.cpuStatV2 },
  { name: 'cpu.stat v1', parse: parseCpuStatV1, samples: samples.cpuStatV1, files: ['/sys/fs/cgroup/cpu/cpu.stat'] },
  { name: 'cpu.max', parse: parseCpuMax, samples: ['max 100000\n', '150000 100000\n'] },
  { name: 'cpu.cfs_quota_us', parse: parseQuotaV1, samples: ['-1\n', '50000\n'] },
  { name: 'a limit of v2', parse: parseLimitV2, samples: ['max\n', '201326592\n'] },
  { name: 'a limit of v1', parse: parseLimitV1, samples: ['9223372036854771712\n', '201326592\n'] },
  { name: 'a count', parse: parseCount, samples: ['0\n', '185098240\n'] },
  { name: 'keys and values', parse: keyedReader(['anon', 'file', 'pgscan', '']), samples: samples.memoryStatV2 },
  { name: '/proc/PID/stat', parse: parseStat, samples: samples.stat, files: ['/proc/self/stat', '/proc/1/stat'] },
  { name: '/proc/PID/status', parse: parseStatus, samples: samples.status, files: ['/proc/self/status'] },
  { name: '/proc/PID/cgroup', parse: parseCgroups, samples: samples.cgroups, files: ['/proc/self/cgroup'] },
  {
    name: '/proc/PID/cmdline',
    parse: parseCommandLine,
    samples: ['robot\0-sessions\x004000\0'],
    files: ['/proc/self/cmdline'],
  },
  {
    name: '/proc/PID/environ',
    parse: parseGoEnvironment,
    samples: ['PATH=/bin\0GOGC=50\0GOMEMLIMIT=96MiB\0GOMAXPROCS=2\0GODEBUG=gctrace=1\0'],
  },
  { name: '/proc/PID/limits', parse: keptDescriptors, samples: samples.limits, files: ['/proc/self/limits'] },
  { name: '/proc/PID/maps', parse: libsslMappings, samples: samples.maps, files: ['/proc/self/maps'] },
  { name: 'a line of maps', parse: parseMapping, samples: samples.maps.flatMap((text) => text.split('\n')) },
  { name: "a container's cgroup path", parse: parseContainerPath, samples: samples.containerPaths },
  { name: 'Prometheus text', parse: (text) => sumMetric(text, query), signed: true, samples: samples.prometheusText },
  {
    name: 'OpenMetrics',
    parse: (text) => sumMetric(text, { ...query, format: 'openmetrics' }),
    signed: true,
    samples: samples.openMetrics,
  },
  {
    name: 'Content-Type',
    parse: formatOf,
    samples: ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'text/plain; version=0.0.4'],
  },
  {
    name: '/proc/PID/net/tcp',
    parse: tcpTable,
    samples: samples.tcpTables,
    files: ['/proc/self/net/tcp', '/proc/self/net/tcp6'],
  },
];

/** Real samples and what this machine has, as bytes. */
export function corpusOf({ samples: written, files = [] }: ForeignText): Uint8Array[] {
  const found = files.flatMap((file) => {
    try {
      return [readFileSync(file)];
    } catch {
      return []; // another kernel, another cgroup version
    }
  });
  return [...written.map((text) => Buffer.from(text)), ...found];
}

function tcpTable(text: string): unknown {
  const reader = new TcpTableReader(8080);
  const bytes = Buffer.from(text, 'utf8');
  const step = 1 + (bytes.length % 97);
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return reader.result();
}

/** A counter that is no number, or less than nothing, would break every share made of it. */
export function brokenNumber(value: unknown, signed?: true): number | undefined {
  if (typeof value === 'number') return value >= (signed ? Number.NEGATIVE_INFINITY : 0) ? undefined : value;
  if (typeof value !== 'object' || value === null) return undefined;
  const inner = value instanceof Map ? value.values() : Object.values(value);
  for (const each of inner) {
    const broken = brokenNumber(each, signed);
    if (broken !== undefined) return broken;
  }
  return undefined;
}
