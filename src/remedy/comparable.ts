/** Can two stretches of windows be compared at all? One reason, one small function: `(stretches) → why not | none`. */
import { allocationRate, median, type SignalWindow } from '../model/index.ts';

/** With fewer, hardly any difference would be significant. */
export const MIN_WINDOWS = 8;
export const MIN_CYCLES = 3;
/** GC that takes less CPU than this has all but stopped: then there are no cycles to wait for. */
const NEARLY_STOPPED = 0.005;
const MAX_LOSSY_SHARE = 0.2;
/** A workload with less than half its load looks healed whatever was done. */
const SAME_LOAD = 0.5;
const NEARLY_AS_MUCH = 0.8;

/** The runtime books its workers' time by the clock on the wall: where they wait for a processor, collections seem dearer than they are. */
const CROWDED = 0.5;
const MORE_CROWDED = 0.3;

export interface Stretches {
  readonly before: readonly SignalWindow[];
  readonly after: readonly SignalWindow[];
}

type Doubt = (stretches: Stretches) => string | undefined;

/** Of the windows after, those in which tasks of the node did not wait for a processor far more than before. */
export function onNodeAsFree({ before, after }: Stretches): readonly SignalWindow[] {
  const waits = before.map(cpuPressureOfNode).filter((share) => share !== undefined);
  if (waits.length === 0) return after;
  const limit = Math.max(CROWDED, median(waits) + MORE_CROWDED);
  return after.filter((window) => (cpuPressureOfNode(window) ?? 0) <= limit);
}

/**
 * Where the load rose, of the windows before those under as much as after, or nearly: what was calm before a surge is no yardstick for what was
 * done about it. All of them where it did not rise, or too few are left.
 */
export function underLikeLoad({ before, after }: Stretches): readonly SignalWindow[] {
  const [was, is] = [before, after].map((windows) => windows.flatMap(({ gc }) => gc?.allocBytesPerSecond ?? []));
  if (!was?.length || !is?.length) return before;
  const least = NEARLY_AS_MUCH * median(is);
  if (median(was) >= least) return before;
  const alike = before.filter(({ gc }) => (gc?.allocBytesPerSecond ?? 0) >= least);
  return alike.length >= MIN_WINDOWS ? alike : before;
}

export function whyNotComparable(stretches: Stretches): string | undefined {
  for (const doubt of DOUBTS) {
    const reason = doubt(stretches);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const tooFewWindows: Doubt = ({ before, after }) => {
  const fewest = Math.min(before.length, after.length);
  if (fewest >= MIN_WINDOWS) return undefined;
  return `${before.length} windows before and ${after.length} after; at least ${MIN_WINDOWS} of each are needed.`;
};

const lostEvents: Doubt = ({ after }) => {
  const lossy = after.filter((window) => window.lostEvents > 0).length;
  if (lossy <= MAX_LOSSY_SHARE * after.length) return undefined;
  return `Probe events were lost in ${lossy} of ${after.length} windows after.`;
};

const tooFewCycles: Doubt = ({ before, after }) => {
  const count = cycles(after);
  if (count >= MIN_CYCLES) return undefined;
  const share = Math.max(0, ...after.map((window) => window.gc?.cpuShare ?? 0));
  // Few cycles are what a higher GOGC is for, provided there were more before and they cost next to nothing now.
  if (cycles(before) > count && share < NEARLY_STOPPED) return undefined;
  return `${count} GC cycles after, at least ${MIN_CYCLES} are needed.`;
};

const lessLoad: Doubt = ({ before, after }) => {
  const robots = fell(before, after, (window) => window.activeRobots ?? undefined);
  if (robots) return `Active robots fell from ${robots.from} to ${robots.to}: the load is not the same.`;
  const [from, to] = [allocationRate(before), allocationRate(after)];
  if (from === undefined || to === undefined || to >= from * SAME_LOAD) return undefined;
  const perSecond = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB/s`;
  return `Allocation fell from ${perSecond(from)} to ${perSecond(to)}: the load is not the same.`;
};

const DOUBTS: readonly Doubt[] = [tooFewWindows, lostEvents, tooFewCycles, lessLoad];

function cpuPressureOfNode({ cgroup }: SignalWindow): number | undefined {
  return cgroup?.node?.cpu?.some;
}

function cycles(windows: readonly SignalWindow[]): number {
  return windows.reduce((sum, window) => sum + (window.gc?.cycles ?? 0), 0);
}

function fell(
  before: readonly SignalWindow[],
  after: readonly SignalWindow[],
  value: (window: SignalWindow) => number | undefined,
): { from: number; to: number } | undefined {
  const known = (windows: readonly SignalWindow[]) => windows.map(value).filter((v) => v !== undefined);
  const [was, is] = [known(before), known(after)];
  if (was.length === 0 || is.length === 0) return undefined;
  const [from, to] = [median(was), median(is)];
  return to < from * SAME_LOAD ? { from, to } : undefined;
}
