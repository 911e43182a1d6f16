/** What a robot says of itself, asked from outside once a second: its own books and the runtime's, nothing of the product's. */
import { z } from 'zod';
import type { RobotLoad } from './loads.ts';

/** Counters since the process began. */
export interface Reading {
  /** The process began then, by this machine's clock: a reading of another process has another. */
  readonly bornAtMs: number;
  readonly uptimeNs: number;
  readonly events: number;
  /** Later than the latency that is promised. */
  readonly lateEvents: number;
  readonly droppedEvents: number;
  /** CPU seconds of the collector without idle workers; the runtime books them as cycles end. */
  readonly gcSeconds: number;
  readonly processors: number;
  readonly peakBytes: number;
  readonly gogc: number;
}

const Stats = z.object({
  uptimeNs: z.int(),
  peakResidentBytes: z.int(),
  events: z.int(),
  dropped: z.int(),
  latencyBoundsNs: z.array(z.int()),
  latencyCounts: z.array(z.int()),
});

const Books = z.object({
  metrics: z.object({
    '/sched/gomaxprocs:threads': z.int(),
    /** Off is the largest number of 64 bits. */
    '/gc/gogc:percent': z.number(),
    '/cpu/classes/gc/total:cpu-seconds': z.number(),
    '/cpu/classes/gc/mark/idle:cpu-seconds': z.number(),
  }),
});

const port = 8081;
/** Before the next second's turn. */
const patienceMs = 900;

/** @param latencyNs that is promised @returns null when it does not answer in time */
export async function read(podIP: string, latencyNs: number, signal: AbortSignal): Promise<Reading | null> {
  try {
    const [stats, books] = await Promise.all([ask(podIP, '/stats', signal), ask(podIP, '/runtime', signal)]);
    return readingOf(Stats.parse(stats), Books.parse(books), latencyNs, Date.now());
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof z.ZodError) throw error;
    return null;
  }
}

/** A robot that is away is told again when it is back. */
export async function tell(podIP: string, change: RobotLoad, signal: AbortSignal): Promise<void> {
  await ask(podIP, '/control', signal, { method: 'PATCH', body: JSON.stringify(change) }).catch(() =>
    signal.throwIfAborted(),
  );
}

async function ask(podIP: string, path: string, signal: AbortSignal, init: RequestInit = {}): Promise<unknown> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const response = await fetch(`http://${podIP}:${port}${path}`, { ...init, signal: inTime });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function readingOf(
  stats: z.infer<typeof Stats>,
  { metrics }: z.infer<typeof Books>,
  latencyNs: number,
  nowMs: number,
): Reading {
  const { uptimeNs, events, dropped, peakResidentBytes, latencyBoundsNs, latencyCounts } = stats;
  return {
    bornAtMs: nowMs - uptimeNs / 1e6,
    uptimeNs,
    events,
    lateEvents: countAbove(latencyNs, latencyBoundsNs, latencyCounts),
    droppedEvents: dropped,
    gcSeconds: metrics['/cpu/classes/gc/total:cpu-seconds'] - metrics['/cpu/classes/gc/mark/idle:cpu-seconds'],
    processors: metrics['/sched/gomaxprocs:threads'],
    peakBytes: peakResidentBytes,
    gogc: metrics['/gc/gogc:percent'],
  };
}

/** Ten bounds a decade: with 200 ms it is the one at 199.5 ms. */
function countAbove(latencyNs: number, boundsNs: readonly number[], counts: readonly number[]): number {
  const last = boundsNs.findLastIndex((bound) => bound <= latencyNs);
  return counts.slice(last + 1).reduce((sum, count) => sum + count, 0);
}
