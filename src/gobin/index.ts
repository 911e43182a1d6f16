/**
 * Where in a Go binary to attach, and why not.
 *
 * A pure room: it takes bytes through a `ByteReader` and gives back plain data; it imports no node module and no other room.
 * It promises never to throw, whatever the bytes are, and to answer within bounded time and memory.
 */

export { type FindGlobalsOptions, findGcGlobals, type GcGlobals } from './globals.ts';
export { goVersion } from './go-version.ts';
export type { HeapStatsLayout } from './heap-stats-layout.ts';
export { layoutFor } from './layout.ts';
export { type LibsslPlan, planLibssl } from './libssl.ts';
export { type PlanOptions, planAttach } from './plan.ts';
export { bytesReader } from './reader.ts';
export type * from './types.ts';
export { type GcLimiterLayout, type GcWorkField, gcWorkBytes, gcWorkFields } from './work-layout.ts';
