/** Each second all robots are told their load, and asked how they are. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type RobotLoad, soFar } from './loads.ts';
import type { RobotPods } from './pods.ts';
import { LATENCY_NS } from './policy.ts';
import { type Reading, read, tell } from './reading.ts';

export interface Drive {
  readonly seconds: number;
  readonly load: (second: number) => RobotLoad;
  readonly signal: AbortSignal;
}

export interface Driven {
  /** Of each robot: at the begin, and at the end of each second. */
  readonly readings: readonly (readonly (Reading | null)[])[];
  /** How many came too late to be seconds of their own. */
  readonly lateTurns: number;
}

const LATE_MS = 500;

export async function drive(
  robots: readonly { readonly name: string }[],
  pods: RobotPods,
  { seconds, load, signal }: Drive,
): Promise<Driven> {
  const startMs = performance.now();
  const turns: (readonly (Reading | null)[])[] = [];
  let lateTurns = 0;
  for (let second = 0; second <= seconds; second++) {
    const waitMs = startMs + second * 1000 - performance.now();
    await sleep(Math.max(0, waitMs), undefined, { signal });
    if (waitMs < -LATE_MS) lateTurns += 1;
    const change = load(Math.min(second, seconds - 1));
    turns.push(
      await Promise.all(
        robots.map(async ({ name }) => {
          const address = pods.addressOf(name);
          if (address === undefined) return null;
          const reading = await read(address, LATENCY_NS, signal);
          if (reading) await tell(address, soFar(change, reading.uptimeNs / 1e9), signal);
          return reading;
        }),
      ),
    );
  }
  return { readings: robots.map((_, index) => turns.map((turn) => turn[index] ?? null)), lateTurns };
}
