/** All that a decision about one incident may look at, and what it may answer. */
import type { ActionRecord, IncidentStatus, Phase, RobotGCIncident, RobotGCPolicy } from '../../api/index.ts';
import type { SignalWindow } from '../../model/window.ts';
import type { Breaker } from '../../remedy/index.ts';
import type { ResizeView } from '../resize/observe.ts';
import type { WorkloadView } from './workload.ts';

export interface IncidentView {
  readonly incident: RobotGCIncident;
  /** Gone when the team deleted it meanwhile. */
  readonly policy: RobotGCPolicy | undefined;
  readonly workload: WorkloadView;
  readonly resize: ResizeView;
  readonly bundle: 'awaited' | 'received';
  /** Latest windows of the container in which the breach was seen. */
  readonly before: readonly SignalWindow[];
  /** Windows of the containers that run with the new setting. */
  readonly after: readonly SignalWindow[];
  /** What was done to the same workload for other incidents, newest first. */
  readonly history: readonly PastAction[];
  /** What continuous tuning did to it. */
  readonly tuned: readonly ActionRecord[];
  /** Another incident of the same workload is acting or verifying. */
  readonly busyWith: string | undefined;
  /** Since when this operator has looked at the incident without a gap. */
  readonly watchedSinceMs: number;
  /** The operator's own kill switch. */
  readonly observeOnly: boolean;
  /** Of the whole fleet. */
  readonly breaker: Breaker;
}

export interface PastAction {
  readonly incident: string;
  readonly phase: Phase;
  readonly action: ActionRecord;
}

/** A sentence for people: a Kubernetes Event on the pod and the incident. */
export interface Story {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

export type Effect = 'seal' | 'apply' | 'judge';

export type Step =
  /** Write this into the status; the next reconcile goes on from there. */
  | { readonly type: 'advance'; readonly status: Partial<IncidentStatus>; readonly story?: Story }
  /** Touch the world; what came of it is written by whoever carries it out. */
  | { readonly type: 'effect'; readonly effect: Effect }
  | { readonly type: 'wait'; readonly afterMs: number; readonly reason: string }
  | { readonly type: 'done' };
