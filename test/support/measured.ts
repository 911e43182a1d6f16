import { beforeEach } from 'vitest';

/**
 * A measurement that all tests of a suite look at: made before the first of them, and anew before one that is tried again, unless that was done
 * since it failed: what it has seen already would say the same once more.
 */
export function measured(measure: () => Promise<void>, timeoutMs?: number): void {
  let latest: Promise<void> | undefined;
  const seenBy = new Map<string, Promise<void>>();
  beforeEach(async ({ task }) => {
    if (latest === undefined || seenBy.get(task.id) === latest) latest = measure();
    seenBy.set(task.id, latest);
    await latest;
  }, timeoutMs);
}
