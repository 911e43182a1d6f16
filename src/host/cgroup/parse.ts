import type { CpuStat, MemoryEvents, MemoryStat } from '../types.ts';

/** A whole number of 0 or more. Values above 2^53 lose their last digits; the kernel has such only for "no limit". */
export function parseCount(text: string): number | undefined {
  const trimmed = text.trim();
  return /^\d{1,20}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** `key value` lines (memory.stat, memory.events, cpu.stat). Other lines are left out. */
export function parseKeyed(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\S+) (\d{1,20})$/.exec(line);
    if (match !== null && match[1] !== undefined) values.set(match[1], Number(match[2]));
  }
  return values;
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
  const match = /^(max|\d+) (\d+)$/.exec(text.trim());
  const periodUs = Number(match?.[2]);
  if (match === null || !(periodUs > 0)) return undefined;
  return { value: match[1] === 'max' ? null : Number(match[1]) / periodUs };
}

/** v2 `memory.events`. */
export function parseEventsV2(text: string): MemoryEvents | undefined {
  const values = parseKeyed(text);
  const [high, max, oom, oomKill] = ['high', 'max', 'oom', 'oom_kill'].map((key) => values.get(key));
  if (high === undefined || max === undefined || oom === undefined || oomKill === undefined) return undefined;
  return { high, max, oom, oomKill };
}

/** v2 `cpu.stat`, in µs. The throttling lines are absent where the cpu controller is off. */
export function parseCpuStatV2(text: string): CpuStat | undefined {
  const values = parseKeyed(text);
  const usageUs = values.get('usage_usec');
  if (usageUs === undefined) return undefined;
  return {
    usageNs: usageUs * 1000,
    nrPeriods: values.get('nr_periods') ?? 0,
    nrThrottled: values.get('nr_throttled') ?? 0,
    throttledNs: (values.get('throttled_usec') ?? 0) * 1000,
  };
}

/** v2 `memory.stat`; before 5.9 the refaults were one figure. */
export function parseMemoryStatV2(text: string): MemoryStat | undefined {
  const values = parseKeyed(text);
  if (!values.has('anon')) return undefined;
  return {
    anonBytes: values.get('anon') ?? null,
    fileBytes: values.get('file') ?? null,
    inactiveFileBytes: values.get('inactive_file') ?? null,
    majorFaults: values.get('pgmajfault') ?? null,
    refaultsAnon: values.get('workingset_refault_anon') ?? null,
    refaultsFile: values.get('workingset_refault_file') ?? values.get('workingset_refault') ?? null,
  };
}

/** v1 `memory.stat`: the `total_` figures count the groups below too, as v2 always does. */
export function parseMemoryStatV1(text: string): MemoryStat | undefined {
  const values = parseKeyed(text);
  const total = (key: string): number | null => values.get(`total_${key}`) ?? values.get(key) ?? null;
  if (total('rss') === null) return undefined;
  return {
    anonBytes: total('rss'),
    fileBytes: total('cache'),
    inactiveFileBytes: total('inactive_file'),
    majorFaults: total('pgmajfault'),
    refaultsAnon: total('workingset_refault_anon'),
    refaultsFile: total('workingset_refault_file') ?? total('workingset_refault'),
  };
}
