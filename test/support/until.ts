import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from '../cluster/patience.ts';

/** Waits in real time, longer where processors are emulated, until the condition holds; fails with `what`, in the words of that moment, when it does not in time. */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  everyMs = 5,
): Promise<void> {
  const limitMs = patient(timeoutMs);
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) {
      throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(everyMs);
  }
}

/** Lets promises and sockets of this process settle: a few turns of the event loop. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
