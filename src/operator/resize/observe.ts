/** What is looked at for a resize: the workload's pods, what they use, and what bounds them. */
import type { RobotGCPolicy } from '../../api/index.ts';
import { isKubeError, type Pod, type Transport, type Workload } from '../../kube/index.ts';
import type { Caches } from '../caches.ts';
import type { SignalStore } from '../signals.ts';
import { podsOf } from '../workloads/pods.ts';
import type { Surroundings } from './capacity.ts';
import { readSurroundings } from './read.ts';

export interface ResizeView {
  /** Of the workload; whatever their state. */
  readonly pods: readonly Pod[];
  /** Of the cluster: those on one node share its room. */
  readonly allPods: readonly Pod[];
  /** Working set of the container by pod uid, where its newest window tells it. */
  readonly useBytes: ReadonlyMap<string, number>;
  /** A sentence where it could not be read; undefined where it is not asked for. */
  readonly surroundings: Surroundings | string | undefined;
}

export const NO_RESIZE: ResizeView = { pods: [], allPods: [], useBytes: new Map(), surroundings: undefined };

export async function observeResize(
  { transport, caches, signals }: { transport: Transport; caches: Caches; signals: SignalStore },
  workload: Workload,
  { container, policy }: { readonly container: string; readonly policy: RobotGCPolicy | undefined },
  signal: AbortSignal,
): Promise<ResizeView> {
  const pods = podsOf(caches, workload);
  const useBytes = new Map(
    pods.flatMap(({ metadata: { uid } }) => {
      const cgroup = signals.latest(uid, container)?.cgroup;
      return cgroup ? [[uid, cgroup.workingSetBytes ?? cgroup.memoryCurrentBytes] as const] : [];
    }),
  );
  const isAsked = policy?.spec.actions.apply.includes('Resize') ?? false;
  const surroundings = isAsked ? await surroundingsOf(transport, workload, pods, signal) : undefined;
  return { pods, allPods: caches.pods.store.list(), useBytes, surroundings };
}

/** What may not be read is not known, and then nothing is resized; the chart grants it. */
async function surroundingsOf(
  transport: Transport,
  { metadata }: Workload,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<Surroundings | string> {
  try {
    return await readSurroundings(transport, metadata.namespace, pods, signal);
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return `What bounds a resize may not be read: ${error.message}`;
    throw error;
  }
}
