/** OOM kills of the latest minute, and whose limit they were for. */
import { NEAR_LIMIT, oomKills, type SignalWindow } from '../model/index.ts';

export interface Kills {
  readonly count: number;
  /** For the limit of a cgroup above (a class of pods) or the machine's memory; false where that cannot be told. */
  readonly farFromOwnLimit: boolean;
}

export function killsIn(windows: readonly SignalWindow[]): Kills {
  const count = windows.reduce((total, window) => total + (oomKills(window) ?? 0), 0);
  const tell = windows.filter((window) => timesAtLimit(window) !== undefined);
  return { count, farFromOwnLimit: count > 0 && tell.length > 0 && tell.every(isFar) };
}

/** Whoever came near the limit may have met it, whether the kernel counts that of this cgroup or of another. */
function isFar(window: SignalWindow): boolean {
  const { memoryCurrentBytes = 0, memoryPeakBytes, memoryLimitBytes } = window.cgroup ?? {};
  const limit = memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  return timesAtLimit(window) === 0 && Math.max(memoryCurrentBytes, memoryPeakBytes ?? 0) < NEAR_LIMIT * limit;
}

function timesAtLimit({ cgroup }: SignalWindow): number | undefined {
  const own = cgroup?.events?.max ?? undefined;
  return own === undefined ? undefined : own + (cgroup?.podMaxEvents ?? 0);
}
