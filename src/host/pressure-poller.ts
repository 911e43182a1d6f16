/**
 * Watches memory pressure by reading `memory.pressure` of each cgroup five to eight times a second: one pread of 2 to 5 µs, and none at all,
 * at five looks at the node, while the whole node is calm. A task that stalls in a cgroup stalls on its node too, so while the node's total stands still no cgroup's can move.
 */
import { PressureJudge, type PressureLimits } from '../model/pressure-onset.ts';
import { keptFileBudget } from './descriptor-budget.ts';
import { KeptFile } from './kept-file.ts';
import { calmPeriodMs, type PollPace, pollPace, pollPeriodMs } from './poll-pace.ts';
import type { OnPressure, PressureWatch } from './pressure-watch.ts';
import { parsePressure, pressureTotals } from './psi.ts';
import type { Pressure } from './types.ts';

interface Watched {
  readonly directory: string;
  readonly file: KeptFile<Pressure>;
  readonly judge: PressureJudge;
  limits: PressureLimits;
  /** Monotonic time of the last reading. */
  readNs: number;
}

export interface PressurePollerOptions {
  readonly onPressure: OnPressure;
  /** CLOCK_MONOTONIC. */
  readonly monotonicNs: () => number;
  /** Default `/proc`. */
  readonly procRoot?: string;
}

export function pressurePoller({ onPressure, monotonicNs, procRoot = '/proc' }: PressurePollerOptions): PressureWatch {
  const all = new Map<string, Watched>();
  const node = kept('memory', `${procRoot}/pressure/memory`);
  let timer: NodeJS.Timeout | undefined;
  let pace: PollPace = pollPace;
  let dueMs = 0;
  let isCalm = false;
  let nodeNs: number | null = null;
  /** Latest time at which the node's total had not moved since the reading before it. */
  let calmNs = 0;

  const readOne = (key: string): void => {
    const watched = all.get(key);
    const before = watched?.file.value;
    // Its cgroup has gone, or has no such file yet: the sampler, which sees to both, says so by `forget` and `watch`.
    const now = watched?.file.read(false);
    if (!watched || !now) return;
    const { judge, limits, readNs } = watched;
    // Else the rise would seem to be spread over all the time in which it was not read.
    if (before && calmNs > readNs) judge.judge(pressureTotals(calmNs, before), limits);
    watched.readNs = monotonicNs();
    for (const onset of judge.judge(pressureTotals(watched.readNs, now), limits)) onPressure(key, onset);
  };
  const round = (): void => {
    const beganNs = monotonicNs();
    const nodeNow = node.read(false)?.some.totalNs ?? null;
    isCalm = nodeNow !== null && nodeNow === nodeNs;
    if (isCalm) calmNs = beganNs;
    else for (const key of all.keys()) readOne(key);
    nodeNs = nodeNow;
    pace = pace.after((monotonicNs() - beganNs) / 1e6);
    // Unless the last one was forgotten, or all was closed, by what was told.
    if (all.size > 0) schedule();
    else timer = undefined;
  };
  // On a grid, so that readings stay a whole number of periods apart: then the trailing share is exact.
  const schedule = (): void => {
    const nowMs = monotonicNs() / 1e6;
    const periodMs = isCalm ? Math.max(calmPeriodMs, pollPeriodMs(pace)) : pollPeriodMs(pace);
    dueMs = Math.max(dueMs + periodMs, nowMs + periodMs / 2);
    timer = setTimeout(round, dueMs - nowMs).unref();
  };
  const forget = (key: string): void => {
    all.get(key)?.file.close();
    all.delete(key);
  };
  const close = (): void => {
    clearTimeout(timer);
    timer = undefined;
    node.close();
    for (const key of [...all.keys()]) forget(key);
  };
  return {
    watch(key, { directory, limits }) {
      const known = all.get(key);
      if (known?.directory === directory) {
        known.limits = limits;
        return;
      }
      forget(key);
      all.set(key, {
        directory,
        file: kept('memory.pressure', `${directory}/memory.pressure`),
        judge: new PressureJudge(),
        limits,
        readNs: 0,
      });
      // From here on: what stalls before the first reading is not seen.
      readOne(key);
      if (timer === undefined) schedule();
    },
    forget,
    close,
    [Symbol.dispose]: close,
  };
}

function kept(name: string, path: string): KeptFile<Pressure> {
  return new KeptFile(name, path, { parse: parsePressure, budget: keptFileBudget });
}
