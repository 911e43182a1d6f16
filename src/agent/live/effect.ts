/** Waits until the next cycle has gone by what was written. */
import type { GcEffect, GcWriter, WrittenSettings } from '../../host/index.ts';
import { sleep } from '../sleep.ts';

const lookMs = 10;

/** @returns what it is by then, `pending` when no cycle took it up in that time. Rejects when the signal aborts. */
export async function awaitEffect(
  writer: GcWriter,
  written: WrittenSettings,
  withinMs: number,
  signal: AbortSignal,
): Promise<GcEffect> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const effect = writer.effectOf(written);
    if (effect !== 'pending' || performance.now() >= untilMs) return effect;
    await sleep(lookMs, signal);
  }
}
