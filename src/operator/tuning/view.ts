/** All that continuous tuning may look at of one container of a workload, and what it may answer. */
import { type ActionRecord, isOpenAction, type RobotGCPolicy, type TuningState } from '../../api/index.ts';
import type { Breaker, Calm, TuningFacts } from '../../remedy/index.ts';
import type { Story } from '../incidents/view.ts';
import type { FoundWorkload } from '../incidents/workload.ts';
import type { ResizeView } from '../resize/observe.ts';

export interface TuningView {
  readonly policy: RobotGCPolicy;
  readonly workload: FoundWorkload;
  /** As the policy's status has it; undefined: nothing was said yet. */
  readonly known: TuningState | undefined;
  readonly facts: TuningFacts;
  /** Read where a limit may come down, or is on its way. */
  readonly resize: ResizeView;
  readonly calm: Calm;
  /** What incidents did to the workload. */
  readonly history: readonly ActionRecord[];
  /** What continuous tuning did, also in the name of other policies. */
  readonly tuned: readonly ActionRecord[];
  /** An incident of the workload that is not over. */
  readonly busyWith: string | undefined;
  /** Since when this operator has looked at the policy without a gap. */
  readonly watchedSinceMs: number;
  /** The operator's own kill switch. */
  readonly observeOnly: boolean;
  readonly breaker: Breaker;
}

/** Into the policy's status. */
export interface TuningWrite {
  readonly type: 'write';
  readonly state: TuningState;
  /** The action that came to its end with it. */
  readonly ended?: ActionRecord;
  readonly story?: Story;
}

export type TuningStep =
  | TuningWrite
  /** Carry out the action that stands in the status; what came of it is written by whoever does. */
  | { readonly type: 'apply'; readonly state: TuningState; readonly action: ActionRecord }
  | { readonly type: 'wait' };

/** The change that was written down and is not over. */
export function openAction(state: TuningState | undefined): ActionRecord | undefined {
  const last = state?.actions?.at(-1);
  return last && isOpenAction(last) ? last : undefined;
}
