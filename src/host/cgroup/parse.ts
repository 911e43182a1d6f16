import type { CpuStat, MemoryEvents, MemoryStat } from '../types.ts';
import { keyedReader, numberAt } from './keyed.ts';

/** A whole number of 0 or more. Values above 2^53 lose their last digits; the kernel has such only for "no limit". */
export function parseCount(text: string): number | undefined {
  const end = text.indexOf('\n');
  return end === -1 || end === text.length - 1 ? numberAt(text, 0) : undefined;
}

/** A limit wrapped, so that "none" differs from "not understood". */
export interface Limit {
  readonly value: number | null;
}

/** v2: `max` or bytes. */
export function parseLimitV2(text: string): Limit | undefined {
  if (text.trim() === 'max') return { value: null };
  const value = parseCount(text);
  return value === undefined ? undefined : { value };
}

/** v1 writes 2^63 − 1 rounded down to a page where there is no limit. No machine has 2^62 bytes. */
export function parseLimitV1(text: string): Limit | undefined {
  const value = parseCount(text);
  return value === undefined ? undefined : { value: value >= 2 ** 62 ? null : value };
}

/** v2 `cpu.max`: `max 100000` or `50000 100000`, quota and period in µs → cores. */
export function parseCpuMax(text: string): Limit | undefined {
  const match = /^(max|\d{1,20}) (\d{1,20})$/.exec(text.trim());
  const periodUs = Number(match?.[2]);
  if (match === null || !(periodUs > 0)) return undefined;
  return { value: match[1] === 'max' ? null : Number(match[1]) / periodUs };
}

const eventsV2 = keyedReader(['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill']);

/** v2 `memory.events` and `memory.events.local`. */
export function parseEventsV2(text: string): MemoryEvents | undefined {
  const [low, high, max, oom, oomKill, oomGroupKill] = eventsV2(text);
  if (high === undefined || max === undefined || oom === undefined || oomKill === undefined) return undefined;
  return { low: low ?? null, high, max, oom, oomKill, oomGroupKill: oomGroupKill ?? null };
}

const oomControl = keyedReader(['oom_kill']);

/** v1 `memory.oom_control`: processes killed for want of memory; absent before 4.13. */
export function parseOomKillV1(text: string): number | undefined {
  return oomControl(text)[0];
}

const cpuStatV2 = keyedReader(['usage_usec', 'nr_periods', 'nr_throttled', 'throttled_usec']);

/** v2 `cpu.stat`, in µs. The throttling lines are absent where the cpu controller is off. */
export function parseCpuStatV2(text: string): CpuStat | undefined {
  const [usageUs, nrPeriods = 0, nrThrottled = 0, throttledUs = 0] = cpuStatV2(text);
  if (usageUs === undefined) return undefined;
  return { usageNs: usageUs * 1000, nrPeriods, nrThrottled, throttledNs: throttledUs * 1000 };
}

const cpuStatV1 = keyedReader(['nr_periods', 'nr_throttled', 'throttled_time']);

/** v1 `cpu.stat` has the throttling alone, in ns; use is in another hierarchy. */
export function parseCpuStatV1(text: string): Omit<CpuStat, 'usageNs'> | undefined {
  const [nrPeriods, nrThrottled = 0, throttledNs = 0] = cpuStatV1(text);
  return nrPeriods === undefined ? undefined : { nrPeriods, nrThrottled, throttledNs };
}

/** v1 `cpu.cfs_quota_us`: −1 means no limit. */
export function parseQuotaV1(text: string): Limit | undefined {
  if (text.trim() === '-1') return { value: null };
  const value = parseCount(text);
  return value === undefined ? undefined : { value };
}

// In the kernel's order, see keyedReader.
const statV2 = keyedReader([
  'anon',
  'file',
  'inactive_file',
  'workingset_refault',
  'workingset_refault_anon',
  'workingset_refault_file',
  'pgscan',
  'pgsteal',
  'pgmajfault',
]);

/** v2 `memory.stat`; before 5.9 the refaults were one figure. */
export function parseMemoryStatV2(text: string): MemoryStat | undefined {
  const [anon, file, inactiveFile, refaults, refaultsAnon, refaultsFile, scanned, stolen, majorFaults] = statV2(text);
  if (anon === undefined) return undefined;
  return {
    anonBytes: anon,
    fileBytes: file ?? null,
    inactiveFileBytes: inactiveFile ?? null,
    majorFaults: majorFaults ?? null,
    refaultsAnon: refaultsAnon ?? null,
    refaultsFile: refaultsFile ?? refaults ?? null,
    pagesScanned: scanned ?? null,
    pagesStolen: stolen ?? null,
  };
}

const keysV1 = [
  'cache',
  'rss',
  'workingset_refault',
  'workingset_refault_anon',
  'workingset_refault_file',
  'pgmajfault',
  'inactive_file',
];
const statV1 = keyedReader([...keysV1, ...keysV1.map((key) => `total_${key}`)]);

/** v1 `memory.stat`: the `total_` figures count the groups below too, as v2 always does. It has no reclaim figures. */
export function parseMemoryStatV1(text: string): MemoryStat | undefined {
  const values = statV1(text);
  const total = (key: string): number | null => {
    const at = keysV1.indexOf(key);
    return values[at + keysV1.length] ?? values[at] ?? null;
  };
  if (total('rss') === null) return undefined;
  return {
    anonBytes: total('rss'),
    fileBytes: total('cache'),
    inactiveFileBytes: total('inactive_file'),
    majorFaults: total('pgmajfault'),
    refaultsAnon: total('workingset_refault_anon'),
    refaultsFile: total('workingset_refault_file') ?? total('workingset_refault'),
    pagesScanned: null,
    pagesStolen: null,
  };
}
