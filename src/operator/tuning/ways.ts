/** How continuous tuning changes a workload: settings live, and its memory limit back down in place. */
import type { ActionRecord } from '../../api/index.ts';
import type { Transport } from '../../kube/index.ts';
import type { Way } from '../../remedy/index.ts';
import type { Fence } from '../fence.ts';
import { rolloutWay } from '../incidents/judgement.ts';
import { liveProgress, setLive } from '../incidents/ways/live.ts';
import { resizeProgress, setLimit } from '../incidents/ways/resize.ts';
import type { Outcome, Progress } from '../incidents/ways/way.ts';
import { largest } from '../resize/largest.ts';
import { resizeWay } from '../resize/way.ts';
import type { TuningView } from './view.ts';

export function waysOf({ policy, workload, resize }: TuningView): Way[] {
  const { namespace } = policy.metadata;
  const { container } = workload;
  const pod = largest(resize.pods, container);
  const inPlace = pod ? [resizeWay(resize, { namespace, container, podUid: pod.metadata.uid }, policy)] : [];
  return [rolloutWay(workload, namespace), ...inPlace, { kind: 'Live' }];
}

export function progressOf(view: TuningView, action: ActionRecord, now: number): Progress {
  return isResize(action) ? resizeProgress(view, action, now) : liveProgress(view, action, now);
}

export interface Carrying {
  readonly transport: Transport;
  readonly view: TuningView;
  readonly fence: Fence;
}

/** @throws KubeError for what another try may cure */
export function carryOut(
  { transport, view, fence }: Carrying,
  action: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  const { metadata, spec } = view.policy;
  if (isResize(action)) return setLimit({ transport, fence }, view, action, signal);
  const inWhoseName = { namespace: metadata.namespace, policy: metadata.uid, actions: spec.actions, fence };
  return setLive(transport, inWhoseName, action, signal);
}

function isResize({ kind, undoes }: ActionRecord): boolean {
  return (undoes ?? kind) === 'Resize';
}
