/** Waits; rejects with the signal's reason when it is aborted. */
import { setTimeout as timeout } from 'node:timers/promises';

export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await timeout(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
