import { z } from 'zod';
import { count, objectMeta, text } from './kinds/meta.ts';
import { microTime } from './micro-time.ts';
import type { Resource } from './resource.ts';

const leaseSchema = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      holderIdentity: text,
      leaseDurationSeconds: count,
      acquireTime: text,
      renewTime: text,
      leaseTransitions: count,
    })
    .prefault({}),
});
export type Lease = z.infer<typeof leaseSchema>;

export const leases: Resource<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
  parse: (raw) => leaseSchema.parse(raw),
};

export interface Candidate {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseDurationMs: number;
}

interface LeaseBody {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion?: string };
  readonly spec: object;
  readonly [field: string]: unknown;
}

/** The record by which a candidate takes, or keeps, the lease. The times are for people; nobody decides by them. */
export function heldBody(candidate: Candidate, before: Lease | undefined, wallMs: number): LeaseBody {
  const kept = before?.spec.holderIdentity === candidate.identity;
  const now = microTime(wallMs);
  return {
    metadata: metadataOf(candidate, before),
    spec: {
      holderIdentity: candidate.identity,
      leaseDurationSeconds: Math.ceil(candidate.leaseDurationMs / 1000),
      acquireTime: kept && before.spec.acquireTime !== '' ? before.spec.acquireTime : now,
      renewTime: now,
      leaseTransitions: before === undefined ? 0 : before.spec.leaseTransitions + (kept ? 0 : 1),
    },
  };
}

/** The record of a lease that nobody holds. */
export function releasedBody(candidate: Candidate, before: Lease, wallMs: number): LeaseBody {
  const now = microTime(wallMs);
  return {
    metadata: metadataOf(candidate, before),
    spec: {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: before.spec.leaseTransitions,
    },
  };
}

function metadataOf({ namespace, name }: Candidate, before: Lease | undefined): LeaseBody['metadata'] {
  return before === undefined
    ? { namespace, name }
    : { namespace, name, resourceVersion: before.metadata.resourceVersion };
}

/** A record, and when on the own monotonic clock it was first seen to be this one. */
export interface Observed {
  readonly lease: Lease;
  readonly sinceMs: number;
}

/** The same record keeps its time, a changed one starts anew. Only equality counts, no time stamp of the record. */
export function observe(before: Observed | undefined, lease: Lease, nowMs: number): Observed {
  const same =
    before?.lease.metadata.uid === lease.metadata.uid &&
    before.lease.metadata.resourceVersion === lease.metadata.resourceVersion;
  return same ? before : { lease, sinceMs: nowMs };
}

/** May this candidate write itself into the record now? */
export function mayTake(candidate: Candidate, observed: Observed, nowMs: number): boolean {
  const { holderIdentity, leaseDurationSeconds } = observed.lease.spec;
  if (holderIdentity === '' || holderIdentity === candidate.identity) return true;
  // The holder's own promise counts; a record without one is given ours.
  const promisedMs = leaseDurationSeconds > 0 ? leaseDurationSeconds * 1000 : candidate.leaseDurationMs;
  return nowMs - observed.sinceMs >= promisedMs;
}
