/**
 * What hundreds of lines a second are: a second writing of some event schemas that looks at each member once and builds nothing. What it
 * accepts is what the schema makes of it; of everything else the schema says whether it is an event, and why not.
 */
import type { CycleEvent, PauseEvent } from './cycles.ts';
import { type CountsEvent, countedKinds, type HistogramEvent } from './waits.ts';

type Check = (value: unknown) => boolean;

/** Checks of an object's members; `null` behind a check: it may be absent. */
type Members<T> = { readonly [K in keyof Required<T>]: undefined extends T[K] ? readonly [Check, null] : Check };

const amount: Check = (value) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
const whole: Check = Number.isSafeInteger;
const count: Check = (value) => whole(value) && amount(value);
const positive: Check = (value) => count(value) && value !== 0;
const flag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const is =
  (name: string): Check =>
  (value) =>
    value === name;

function members<T>(of: Members<T>): Check {
  const all = Object.entries(of) as [string, Check | readonly [Check, null]][]; // the keys of Members are strings
  const checks = new Map(all.map(([name, check]) => [name, typeof check === 'function' ? check : check[0]]));
  const required = new Set(all.flatMap(([name, check]) => (typeof check === 'function' ? [name] : [])));
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    let found = 0;
    // What JSON gives has no members but its own.
    for (const name in value) {
      if (checks.get(name)?.(value[name as keyof typeof value]) !== true) return false;
      if (required.has(name)) found += 1;
    }
    return found === required.size;
  };
}

const pause = members<PauseEvent>({
  type: is('pause'),
  pid: positive,
  tid: whole,
  reason: whole,
  startNs: amount,
  stoppingNs: orNull(amount),
  totalNs: amount,
  restartNs: [amount, null],
  stoppingCpuNs: [amount, null],
});

const cycle = members<CycleEvent>({
  type: is('cycle'),
  pid: positive,
  atNs: amount,
  procs: whole,
  userForced: flag,
  gcPercent: whole,
  memoryLimitBytes: orNull(amount),
  heapMinimumBytes: amount,
  heapGoalBytes: orNull(amount),
  goalByMemoryLimit: flag,
  triggeredBytes: orNull(amount),
  lastHeapGoalBytes: orNull(amount),
  heapLiveBytes: amount,
  heapMarkedBytes: amount,
  lastStackScanBytes: amount,
  globalsScanBytes: amount,
  assistNs: amount,
  dedicatedNs: amount,
  fractionalNs: amount,
  idleNs: amount,
  markStartNs: amount,
  totalAllocBytes: amount,
  totalFreeBytes: amount,
  mappedReadyBytes: amount,
  heapInUseBytes: amount,
  heapReleasedBytes: amount,
  heapFreeBytes: amount,
});

const kinds: ReadonlySet<unknown> = new Set(countedKinds);
const bucket: Check = (value) => Array.isArray(value) && value.length === 2 && amount(value[0]) && positive(value[1]);

const histogram = members<HistogramEvent>({
  type: is('histogram'),
  of: (value) => kinds.has(value),
  pid: positive,
  count,
  sumNs: amount,
  maxNs: amount,
  failed: [count, null],
  buckets: (value) => Array.isArray(value) && value.every(bucket),
  slow: [count, null],
  verySlow: [count, null],
  whileMarking: [members<NonNullable<HistogramEvent['whileMarking']>>({ count, sumNs: amount }), null],
});

const occurrences = members<CountsEvent['heapGrows']>({ count, whileMarking: count });

const counts = members<CountsEvent>({
  type: is('counts'),
  pid: positive,
  heapGrows: occurrences,
  mmapFailures: occurrences,
  allocationFailures: occurrences,
  oomVictims: occurrences,
  lostEvents: occurrences,
  untoldWaits: occurrences,
  untoldMemoryWaits: occurrences,
  untimedWaits: occurrences,
});

export type UsualEvent = PauseEvent | CycleEvent | HistogramEvent | CountsEvent;

const usual: ReadonlyMap<string, Check> = new Map(Object.entries({ pause, cycle, histogram, counts }));

export function isUsual(value: { readonly type: string }): value is UsualEvent {
  return usual.get(value.type)?.(value) === true;
}
