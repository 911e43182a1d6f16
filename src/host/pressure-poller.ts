/** Watches memory pressure by reading `memory.pressure` of each cgroup five times a second: one pread of 2 µs, no more. */
import { PressureJudge, type PressureLimits } from '../model/pressure-onset.ts';
import { keptFileBudget } from './descriptor-budget.ts';
import { KeptFile } from './kept-file.ts';
import { type PollPace, pollPace, pollPeriodMs } from './poll-pace.ts';
import type { OnPressure, PressureWatch } from './pressure-watch.ts';
import { parsePressure } from './psi.ts';
import type { Pressure } from './types.ts';

interface Watched {
  readonly directory: string;
  readonly file: KeptFile<Pressure>;
  readonly judge: PressureJudge;
  limits: PressureLimits;
}

export interface PressurePollerOptions {
  readonly onPressure: OnPressure;
  /** CLOCK_MONOTONIC. */
  readonly monotonicNs: () => number;
}

export function pressurePoller({ onPressure, monotonicNs }: PressurePollerOptions): PressureWatch {
  const all = new Map<string, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let pace: PollPace = pollPace;
  let dueMs = 0;

  const round = (): void => {
    const beganNs = monotonicNs();
    for (const [key, { file, judge, limits }] of all) {
      // Its cgroup has gone, or has no such file yet: the sampler, which sees to both, says so by `forget` and `watch`.
      const pressure = file.read(false);
      if (!pressure) continue;
      const totals = {
        atNs: monotonicNs(),
        someNs: pressure.some.totalNs,
        fullNs: pressure.full?.totalNs ?? null,
      };
      for (const onset of judge.judge(totals, limits)) onPressure(key, onset);
    }
    pace = pace.after((monotonicNs() - beganNs) / 1e6);
    // Unless the last one was forgotten, or all was closed, by what was told.
    if (all.size > 0) schedule();
    else timer = undefined;
  };
  // On a grid, so that readings stay a whole number of periods apart: then the trailing share is exact.
  const schedule = (): void => {
    const nowMs = monotonicNs() / 1e6;
    const periodMs = pollPeriodMs(pace);
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
      const path = `${directory}/memory.pressure`;
      const file = new KeptFile('memory.pressure', path, { parse: parsePressure, budget: keptFileBudget });
      all.set(key, { directory, file, judge: new PressureJudge(), limits });
      if (timer === undefined) schedule();
    },
    forget,
    close,
    [Symbol.dispose]: close,
  };
}
