/** What is counted of a process, and its long waits one by one. */
import { z } from 'zod';
import { ns, pid } from './fields.ts';

/**
 * Waits for the kernel's memory management. Reclaim is memory that the process's own threads had to free before they got any: `reclaimDirect`
 * for the machine, `reclaimMemcg` for a cgroup at its limit.
 */
export const memoryWaitKinds = ['mmap', 'munmap', 'reclaimDirect', 'reclaimMemcg'] as const;
export type MemoryWaitKind = (typeof memoryWaitKinds)[number];

/** Handshakes, connections, and reads that had to wait for data (seen only while their points are attached). */
export const networkKinds = ['tlsClient', 'tlsServer', 'openssl', 'connect', 'read'] as const;
export type NetworkKind = (typeof networkKinds)[number];

/** Durations that are counted one and all, whatever their length; of `assistLooked` those that began in a look, see `SampledEvent`. */
export const countedKinds = [...memoryWaitKinds, 'assist', 'assistLooked', ...networkKinds] as const;

/**
 * All durations of one kind in one process since the last flush. A bucket counts the durations above the previous
 * possible bucket's bound up to and including its own; no bucket is wider than 1/16 (6.25 %) of its lower bound.
 * Only buckets with a count are listed, in rising order.
 */
export const histogramEventSchema = z.object({
  type: z.literal('histogram'),
  of: z.enum(countedKinds),
  pid,
  count: z.number().int().nonnegative(),
  sumNs: ns,
  maxNs: ns,
  /** Of those counted; absent when none did. Handshake: ended with an error. Connect: no connection came of it. */
  failed: z.number().int().nonnegative().optional(),
  buckets: z.array(z.tuple([ns, z.number().int().positive()])),
  /** Waits for memory only, as are the next two: those of 1 ms and longer. */
  slow: z.int().nonnegative().optional(),
  /** Of 10 ms and longer. */
  verySlow: z.int().nonnegative().optional(),
  /** Those that began while a GC cycle of the process was marking, and how long they took together. */
  whileMarking: z.object({ count: z.int().nonnegative(), sumNs: ns }).optional(),
});
export type HistogramEvent = z.infer<typeof histogramEventSchema>;

/**
 * Assists were so many that they were observed for `observedNs` of the last `spanNs` only. For `throughoutNs` of it every one was seen, before
 * the storm or after it: these are in the histogram `assist`, as all are without this event. For the rest of it they were looked at, at random
 * moments: those that began in a look are in the histogram `assistLooked`.
 */
export const sampledEventSchema = z.object({
  type: z.literal('sampled'),
  pid,
  observedNs: ns,
  throughoutNs: ns,
  spanNs: ns,
  /** Stalls that began in a look, were followed for 50 ms at least, and had not ended by then. */
  unfinished: z.int().nonnegative(),
  /** How long those were at least, together. */
  unfinishedNs: ns,
  /** Of what the latest 16 looks saw a second, relative to the square of its mean; 0: too few looks to tell. */
  lookVariance: z.number().nonnegative(),
});
export type SampledEvent = z.infer<typeof sampledEventSchema>;

const occurrences = z.object({
  count: z.int().nonnegative(),
  /** Of those, while a GC cycle of the process was marking. */
  whileMarking: z.int().nonnegative(),
});

/** Counts of one process since the last flush; absent when all are 0. */
export const countsEventSchema = z.object({
  type: z.literal('counts'),
  pid,
  /** How often the heap asked the kernel for more address space. */
  heapGrows: occurrences,
  /** mmap calls that the kernel refused, for whatever reason. */
  mmapFailures: occurrences,
  /** System calls, mmap among them, for which the kernel had no memory or no address space (ENOMEM). */
  allocationFailures: occurrences,
  /** 1 when the kernel's OOM killer chose this process. */
  oomVictims: occurrences,
  /** Events of this process that the kernel's ring had no room for, or cycles whose facts could not be read. */
  lostEvents: occurrences,
  /** Network waits that lasted long enough to be told one by one, and were too many for that: they are in the histograms. */
  untoldWaits: occurrences,
  /** The same of waits for the kernel's memory management. */
  untoldMemoryWaits: occurrences,
  /** Handshakes and connections that are in no histogram: too many were under way at the same time, or they had begun before the watch. */
  untimedWaits: occurrences,
});
export type CountsEvent = z.infer<typeof countsEventSchema>;

export const waitKinds = [...memoryWaitKinds, ...networkKinds] as const;
export type WaitKind = (typeof waitKinds)[number];

/**
 * One wait: for memory or in a read from 1 ms on, for a handshake or a connection from 10 ms on. Of each kind the first 32 of a process in
 * each second; `untoldWaits` and `untoldMemoryWaits` count the rest.
 */
export const waitEventSchema = z.object({
  type: z.literal('wait'),
  on: z.enum(waitKinds),
  pid,
  tid: z.int(),
  startNs: ns,
  durationNs: ns,
  /**
   * Whether a GC cycle of this process was marking as the wait began (for memory) or ended (on the network); null before its first world stop
   * was seen.
   */
  marking: z.boolean().nullable(),
  /** mmap: refused. Handshake: ended with an error. Connect: no connection came of it. */
  failed: z.boolean(),
  /** Connect only: `192.0.2.1:443` or `[2001:db8::1]:443`. */
  peer: z.string().optional(),
});
export type WaitEvent = z.infer<typeof waitEventSchema>;
