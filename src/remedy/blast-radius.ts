/** How many of a workload's pods may be changed at once, and which ones next. Pure. */
import { ratio } from '../api/index.ts';

export interface PodProgress {
  readonly uid: string;
  readonly ready: boolean;
  /** Of the change: not begun, begun and not yet in effect, in effect. */
  readonly change: 'before' | 'underway' | 'settled';
}

export interface Batch {
  /** Uids of the pods to change now. */
  readonly take: readonly string[];
  /** Pods that may be underway at once. */
  readonly allowed: number;
  /** Pods that are underway or not ready, whoever made them so. */
  readonly disturbed: number;
}

/** Rounded down, at least one: with three pods and 25 %, one after the other. */
export function allowedAtOnce(pods: number, blastRadius: string): number {
  // The slack forgives binary fractions: 29 % of 100 is 29, not 28.999999999999996.
  return Math.max(1, Math.floor(pods * ratio(blastRadius) + 1e-9));
}

/**
 * A pod that is not ready takes a place, so that a fleet that breaks under a change is not changed further; to change that very pod takes
 * no further place, since it may be the one in need.
 *
 * @param first uid of the pod to begin with: the one in breach, where it is known
 */
export function nextBatch(pods: readonly PodProgress[], blastRadius: string, first?: string): Batch {
  const allowed = allowedAtOnce(pods.length, blastRadius);
  const disturbed = pods.filter(({ change, ready }) => change === 'underway' || !ready).length;
  let places = allowed - pods.filter(({ change }) => change === 'underway').length;
  let readyPlaces = allowed - disturbed;
  const take: string[] = [];
  for (const { uid, ready } of inOrder(pods, first)) {
    if (places <= 0 || (ready && readyPlaces <= 0)) continue;
    take.push(uid);
    places -= 1;
    if (ready) readyPlaces -= 1;
  }
  return { take, allowed, disturbed };
}

/** The pod in breach, then those in need, then the others; by uid, so that every replica of the operator chooses the same. */
function inOrder(pods: readonly PodProgress[], first: string | undefined): PodProgress[] {
  const rank = ({ uid, ready }: PodProgress) => (uid === first ? 0 : ready ? 2 : 1);
  return pods
    .filter(({ change }) => change === 'before')
    .toSorted((a, b) => rank(a) - rank(b) || a.uid.localeCompare(b.uid));
}
