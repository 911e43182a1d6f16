/** Resize as a plan sees it: plain data of the pods and of what bounds them. Pure. */
import { quantityBytes, type RobotGCPolicy } from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';
import type { MissingWay, ResizableContainer, ResizeWay } from '../../remedy/index.ts';
import { capsOf, roomsOf } from './capacity.ts';
import type { ResizeView } from './observe.ts';
import { limitOf, running } from './pod-resize.ts';
import { guaranteedOtherwise } from './qos.ts';

/** @param podUid of the pod in breach: its limit is where the change begins; those with another one are left alone */
export function resizeWay(
  view: ResizeView,
  { namespace, container, podUid }: { namespace: string; container: string; podUid: string },
  policy: RobotGCPolicy,
): ResizeWay | MissingWay {
  const { surroundings, allPods } = view;
  if (surroundings === undefined) return missing('The policy does not ask for it.');
  if (typeof surroundings === 'string') return missing(surroundings);
  const pods = running(view.pods);
  const inBreach = pods.find(({ metadata }) => metadata.uid === podUid);
  if (!inBreach) return missing('The pod in breach runs no more: there is nothing to resize.');
  const limit = limitOf(inBreach, container);
  return {
    kind: 'Resize',
    namespace,
    container,
    limit,
    containers: pods
      .filter((pod) => limitOf(pod, container) === limit)
      .map((pod) => resizable(pod, container, view.useBytes.get(pod.metadata.uid))),
    rooms: roomsOf(surroundings, allPods),
    caps: capsOf(surroundings),
    mayRestart: policy.spec.actions.resizeRestarts === 'Allow',
  };
}

function resizable(pod: Pod, name: string, useBytes: number | undefined): ResizableContainer {
  const container = pod.spec.containers.find((each) => each.name === name);
  const { limits = {}, requests = {} } = container?.resources ?? {};
  return {
    pod: pod.metadata.name,
    node: pod.spec.nodeName,
    limitBytes: quantityBytes(limits.memory ?? '') ?? null,
    requestBytes: quantityBytes(requests.memory ?? '') ?? null,
    useBytes: useBytes ?? null,
    restarts:
      container?.resizePolicy.some(
        ({ resourceName, restartPolicy }) => resourceName === 'memory' && restartPolicy === 'RestartContainer',
      ) ?? false,
    guaranteedOtherwise: guaranteedOtherwise(pod, name),
    podLevel: pod.spec.resources.limits.memory !== undefined,
  };
}

function missing(why: string): MissingWay {
  return { kind: 'Missing', of: 'Resize', why };
}
