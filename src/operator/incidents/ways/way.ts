/** What every way of changing a workload offers: what has become of an action, read from what was observed; and the deed itself. */
import type { ActionRecord, RobotGCIncident, RobotGCPolicy } from '../../../api/index.ts';
import type { Pod, Transport } from '../../../kube/index.ts';
import type { Fence } from '../../fence.ts';
import type { IncidentView } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';

/** Of one action, or of its rollback, which is recorded as an action from the value after to the value before. */
export type Progress =
  /** The value before it still stands. */
  | { readonly type: 'before' }
  /** A further part of the pods can be changed now. */
  | { readonly type: 'next' }
  | { readonly type: 'underway'; readonly reason: string }
  /** In effect wherever it should be. */
  | { readonly type: 'settled' }
  /** It will not come into effect, and nothing took it up: another way may. */
  | { readonly type: 'refused'; readonly why: string }
  /** It came into effect in part, and will not in whole. */
  | { readonly type: 'failed'; readonly why: string }
  /** Someone else set it. */
  | { readonly type: 'meanwhile'; readonly sentence: string };

export interface WayContext {
  readonly transport: Transport;
  readonly incident: RobotGCIncident;
  /** Undefined: it was deleted, and the action is a way back. */
  readonly policy: RobotGCPolicy | undefined;
  /** As the decision to act saw it. */
  readonly view: IncidentView;
  /** Asked after an object was read and before it is written. */
  readonly fence: Fence;
}

export type Outcome =
  /** `previousManagers`: field managers from which the field was taken over, see `actions.fieldConflicts`. */
  | { readonly type: 'applied'; readonly previousManagers: readonly string[] }
  /** Nothing was changed, and the same try would be refused again. */
  | {
      readonly type: 'refused';
      readonly message: string;
      /** Field managers that own what was to be changed. */
      readonly conflictsWith?: readonly string[];
    };

export interface ActingWay {
  /** Pure. */
  progress(view: IncidentView, workload: FoundWorkload, action: ActionRecord, now: number): Progress;
  /**
   * Idempotent: an operator that was killed in between does it again. Also carries out a rollback.
   * @throws KubeError for what another try may cure (no answer, throttling, a server error); `Conflict`: what it was decided by has changed
   */
  apply(context: WayContext, action: ActionRecord, signal: AbortSignal): Promise<Outcome>;
  /** Whether a pod of the workload runs with the action's value: the signals of such pods judge it. Pure. */
  carries(pod: Pod, action: ActionRecord, policy: RobotGCPolicy | undefined): boolean;
}
