/**
 * A StatefulSet waits for each pod to become ready before it goes on, also back: pods that a bad template left behind keep it from the
 * good one until somebody deletes them (kubernetes.io, StatefulSet, "Forced rollback"; kubernetes 1.37.2, stateful_set_control.go,
 * processReplica). They serve nobody: not one of them is ready.
 */
import type { Knob, Setting } from '../../api/index.ts';
import { controllerOf, list, pods, remove, type Transport, type Workload } from '../../kube/index.ts';
import { isReady } from './broken-pods.ts';
import { podsWith } from './pods.ts';

/** @param bad the setting that is being taken back */
export async function removeStuckPods(
  transport: Transport,
  { metadata, spec }: Workload,
  bad: { readonly container: string; readonly knob: Knob; readonly setting: Setting },
  signal: AbortSignal,
): Promise<void> {
  const labelSelector = Object.entries(spec.selector.matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join();
  const all = await list(transport, pods, { namespace: metadata.namespace, labelSelector, signal });
  const own = all.filter((pod) => controllerOf(pod.metadata)?.uid === metadata.uid);
  for (const pod of podsWith(own, bad.container, bad.knob, bad.setting)) {
    // The very pod that was looked at, not its successor of the same name.
    if (!isReady(pod)) await remove(transport, pods, pod.metadata, { uid: pod.metadata.uid, signal });
  }
}
