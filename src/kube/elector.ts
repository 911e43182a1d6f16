import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Transport } from './transport.ts';

export interface LeaderElectorOptions {
  readonly transport: Transport;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Must differ between any two processes that ever run at the same time; a pod's name with a random tail does. */
  readonly identity: string;
  /** Default 15 s: how long others wait after the last change they saw. */
  readonly leaseDurationMs?: number;
  /** Default 10 s, less than the lease: how long a leader goes on without a renewal. */
  readonly renewDeadlineMs?: number;
  /** Default 2 s between tries, jittered. */
  readonly retryPeriodMs?: number;
  readonly log: Log;
  readonly onNewLeader?: (identity: string) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface ElectorRun {
  readonly signal: AbortSignal;
  /** The work of a leader. Its signal is aborted when leadership ends or the outer signal is; it has lease − renew deadline to stop. */
  readonly lead: (leadingSignal: AbortSignal) => Promise<void>;
}

/** One leader among those that share a Lease; see SPEC.md. */
export class LeaderElector {
  constructor(_options: LeaderElectorOptions) {}

  /** True only while the right to lead lasts on this process's own clock. */
  get isLeader(): boolean {
    return false;
  }

  /** Last seen holder, empty when there is none. */
  get leader(): string {
    return '';
  }

  /** Follows and leads by turns until the signal is aborted, or until `lead` returns or throws while leading. */
  run(_run: ElectorRun): Promise<void> {
    throw new Error('not there yet');
  }
}
