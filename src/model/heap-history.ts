/** The live heap of one container over hours, in a few dozen points: minutes cannot tell a slow leak from the noise of cycles. Pure. */
import { z } from 'zod';
import type { GcFacts, SignalWindow } from './window.ts';

/** Some minutes of one program. */
export const HeapPoint = z.object({
  endedAt: z.iso.datetime(),
  /** The least that any cycle left alive: what was garbage by the next one does not count. */
  heapLiveBytes: z.number().nonnegative(),
  /** The least. */
  rootsBytes: z.number().nonnegative(),
  /** Means: what the program had to do. */
  allocBytesPerSecond: z.number().nonnegative(),
  activeRobots: z.number().nonnegative().nullable(),
});
export type HeapPoint = z.infer<typeof HeapPoint>;

/** As it is kept on a disk. */
export const SavedHeapHistory = z.object({
  stretchMs: z.int().positive(),
  pids: z.array(z.int()),
  stretches: z
    .array(
      z.object({
        endMs: z.number(),
        /** Null where no cycle ended. */
        heapLiveBytes: z.number().nonnegative().nullable(),
        rootsBytes: z.number().nonnegative().nullable(),
        windows: z.int().positive(),
        allocated: z.number().nonnegative(),
        robots: z.number().nonnegative(),
        robotsKnown: z.int().nonnegative(),
      }),
    )
    .max(100),
});
export type SavedHeapHistory = z.infer<typeof SavedHeapHistory>;

const MINUTE_MS = 60_000;
/** Twelve points an hour for six hours. */
const MOST_POINTS = 72;
const FINEST_MS = 5 * MINUTE_MS;
/** Then the points become half as many, each of twice the time, up to a day; what is older goes. */
const COARSEST_MS = 20 * MINUTE_MS;

/** One for each container, so it is small: 72 points at most. */
export class HeapHistory {
  #stretchMs = FINEST_MS;
  #stretches: Stretch[] = [];
  #pids: readonly number[] = [];

  /** @param saved of the same container: goes on with it */
  constructor(saved?: SavedHeapHistory) {
    if (!saved) return;
    const known = (bytes: number | null): number => bytes ?? Number.POSITIVE_INFINITY;
    this.#stretchMs = saved.stretchMs;
    this.#pids = saved.pids;
    this.#stretches = saved.stretches.map((each) => ({
      ...each,
      heapLiveBytes: known(each.heapLiveBytes),
      rootsBytes: known(each.rootsBytes),
    }));
  }

  saved(): SavedHeapHistory {
    const finite = (bytes: number): number | null => (Number.isFinite(bytes) ? bytes : null);
    const stretches = this.#stretches.map((each) => ({
      ...each,
      heapLiveBytes: finite(each.heapLiveBytes),
      rootsBytes: finite(each.rootsBytes),
    }));
    return { stretchMs: this.#stretchMs, pids: [...this.#pids], stretches };
  }

  /** Another process begins anew. */
  observe({ gc, pids, endedAt, activeRobots }: Pick<SignalWindow, 'gc' | 'pids' | 'endedAt' | 'activeRobots'>): void {
    if (pids !== this.#pids && pids.join() !== this.#pids.join()) {
      this.#pids = pids;
      this.#stretches = [];
      this.#stretchMs = FINEST_MS;
    }
    if (!gc) return;
    this.#add(stretchOf(gc, Date.parse(endedAt), activeRobots));
    if (this.#stretches.length <= MOST_POINTS) return;
    if (this.#stretchMs < COARSEST_MS) this.#coarsen();
    else this.#stretches.shift();
  }

  /** Oldest first; the one that is under way is not among them. */
  points(): HeapPoint[] {
    return this.#stretches.slice(0, -1).filter(hasCycle).map(pointOf);
  }

  #coarsen(): void {
    this.#stretchMs *= 2;
    const finer = this.#stretches;
    this.#stretches = [];
    for (const stretch of finer) this.#add(stretch);
  }

  #add(stretch: Stretch): void {
    const last = this.#stretches.at(-1);
    const isSame = last && Math.floor(last.endMs / this.#stretchMs) === Math.floor(stretch.endMs / this.#stretchMs);
    if (isSame) this.#stretches.splice(-1, 1, together(last, stretch));
    else this.#stretches.push(stretch);
  }
}

interface Stretch {
  readonly endMs: number;
  /** Infinite where no cycle ended. */
  readonly heapLiveBytes: number;
  readonly rootsBytes: number;
  readonly windows: number;
  readonly allocated: number;
  readonly robots: number;
  readonly robotsKnown: number;
}

function stretchOf(gc: GcFacts, endMs: number, activeRobots: number | null): Stretch {
  return {
    endMs,
    heapLiveBytes: gc.cycles > 0 ? gc.heapLiveBytes : Number.POSITIVE_INFINITY,
    rootsBytes: gc.cycles > 0 ? gc.rootsBytes : Number.POSITIVE_INFINITY,
    windows: 1,
    allocated: gc.allocBytesPerSecond,
    robots: activeRobots ?? 0,
    robotsKnown: Number(activeRobots !== null),
  };
}

function together(one: Stretch, next: Stretch): Stretch {
  return {
    endMs: next.endMs,
    heapLiveBytes: Math.min(one.heapLiveBytes, next.heapLiveBytes),
    rootsBytes: Math.min(one.rootsBytes, next.rootsBytes),
    windows: one.windows + next.windows,
    allocated: one.allocated + next.allocated,
    robots: one.robots + next.robots,
    robotsKnown: one.robotsKnown + next.robotsKnown,
  };
}

function hasCycle({ heapLiveBytes }: Stretch): boolean {
  return Number.isFinite(heapLiveBytes);
}

function pointOf({ endMs, heapLiveBytes, rootsBytes, windows, allocated, robots, robotsKnown }: Stretch): HeapPoint {
  return {
    endedAt: new Date(endMs).toISOString(),
    heapLiveBytes,
    rootsBytes,
    allocBytesPerSecond: Math.round(allocated / windows),
    activeRobots: robotsKnown > 0 ? Math.round(robots / robotsKnown) : null,
  };
}
