import { beforeEach } from 'vitest';

/**
 * A measurement that all tests of a suite look at: made before the first of them, and anew before one that is tried again, for which what was
 * measured before would say the same once more.
 */
export function measured(measure: () => Promise<void>, timeoutMs?: number): void {
  const made: Promise<void>[] = [];
  beforeEach(async ({ task }) => {
    const tries = task.result?.retryCount ?? 0;
    made[tries] ??= measure();
    await made[tries];
  }, timeoutMs);
}
