/** The collector's heap goal from its books. Pure; a second writing of what the probe computes in C. */

/** As `ControllerBooks` has them. */
export interface GoalInputs {
  readonly memoryLimitBytes: number | null;
  readonly gcPercentHeapGoalBytes: number | null;
  readonly sweepDistMinTriggerBytes: number;
  readonly triggeredBytes: number | null;
  readonly heapMarkedBytes: number;
  readonly totalAllocBytes: number;
  readonly totalFreeBytes: number;
  readonly mappedReadyBytes: number;
  readonly heapFreeBytes: number;
}

export interface HeapGoal {
  /** `/gc/heap/goal:bytes`; null when nothing bounds the heap (GOGC off, no GOMEMLIMIT). */
  readonly heapGoalBytes: number | null;
  /** True when the memory limit, not GOGC, sets it. */
  readonly goalByMemoryLimit: boolean;
}

/** runtime/mgcpacer.go, the same in Go 1.22 to 1.26. */
const minRunwayBytes = 64 * 1024;
const limitHeadroomPercent = 3;
const limitMinHeadroomBytes = 1024 * 1024;

/** `heapGoalInternal()`: the lesser of the goal by GOGC, raised where a cycle or sweeping still runs, and the memory limit's goal. */
export function heapGoalOf(books: GoalInputs): HeapGoal {
  const byPercent = books.gcPercentHeapGoalBytes ?? Number.POSITIVE_INFINITY;
  if (books.memoryLimitBytes !== null) {
    const byLimit = memoryLimitGoal(books, books.memoryLimitBytes);
    if (byLimit < byPercent) return { heapGoalBytes: byLimit, goalByMemoryLimit: true };
  }
  const runway = books.triggeredBytes === null ? 0 : books.triggeredBytes + minRunwayBytes;
  const goal = Math.max(byPercent, books.sweepDistMinTriggerBytes, runway);
  return { heapGoalBytes: Number.isFinite(goal) ? goal : null, goalByMemoryLimit: false };
}

/** `memoryLimitHeapGoal()`. The figures may be of slightly different moments: where they do not agree, the live heap, as there. */
function memoryLimitGoal(books: GoalInputs, limitBytes: number): number {
  const { mappedReadyBytes, heapFreeBytes, heapMarkedBytes } = books;
  const nonHeap = mappedReadyBytes - heapFreeBytes - (books.totalAllocBytes - books.totalFreeBytes);
  const overage = Math.max(0, mappedReadyBytes - limitBytes);
  if (nonHeap < 0 || nonHeap + overage >= limitBytes) return heapMarkedBytes;
  const room = limitBytes - (nonHeap + overage);
  const headroom = Math.max(limitMinHeadroomBytes, Math.floor(room / 100) * limitHeadroomPercent);
  return Math.max(heapMarkedBytes, room - headroom < headroom ? headroom : room - headroom);
}
