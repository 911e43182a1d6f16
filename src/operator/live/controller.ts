/** Keeps what the pods of a workload are told as its owner desires: also pods that come later, also after a kill. Level-triggered. */
import { ANNOTATION_DESIRED, desiredText, REMEDY_FIELD_MANAGER } from '../../api/index.ts';
import {
  type Controller,
  type HandlerResult,
  isKubeError,
  KeyedQueue,
  keyOf,
  type Log,
  type Pod,
  patchMerge,
  pods,
  type QueueMetrics,
  type Store,
  splitKey,
  type Transport,
  type Workload,
} from '../../kube/index.ts';
import type { Caches } from '../caches.ts';
import { desiredOf } from '../workloads/desired.ts';
import { ownerOfPod } from '../workloads/owner.ts';
import { podsOf } from '../workloads/pods.ts';
import { workloadResource } from '../workloads/resources.ts';
import { ofLivingPolicies, spread } from './spread.ts';

export interface LiveSpreaderOptions {
  readonly transport: Transport;
  readonly caches: Caches;
  readonly observeOnly: boolean;
  readonly queueMetrics: QueueMetrics;
  readonly log: Log;
}

const LOOK_EVERY_MS = 30_000;

/** Keys are `Kind/namespace/name` of workloads. */
export class LiveSpreader implements Controller {
  readonly name = 'live';
  readonly queue: KeyedQueue;
  readonly #options: LiveSpreaderOptions;

  constructor(options: LiveSpreaderOptions) {
    this.#options = options;
    this.queue = new KeyedQueue({ name: 'live', metrics: options.queueMetrics });
    const { caches } = options;
    for (const { store } of this.#reflectors())
      store.onChange(({ object }) => {
        if (this.#isConcerned(object)) this.queue.add(keyOfWorkload(object));
      });
    caches.pods.store.onChange(({ object }) => {
      const owner = ownerOfPod(caches, object);
      if (owner.type === 'found' && (carries(object) || carries(owner.workload)))
        this.queue.add(keyOfWorkload(owner.workload));
    });
    // Gone, allowed to act, or with news from an agent: the next pods may be told.
    caches.policies.store.onChange(({ object }) => {
      for (const { store } of this.#reflectors())
        for (const each of store.list())
          if (each.metadata.namespace === object.metadata.namespace && carries(each))
            this.queue.add(keyOfWorkload(each));
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<HandlerResult | undefined> {
    const { caches, transport, observeOnly, log } = this.#options;
    const [kind, namespace, name] = key.split('/');
    const workload = this.#reflectors()
      .map(({ store }) => store.get(`${namespace}/${name}`))
      .find((each) => each?.kind === kind);
    if (!workload) return undefined;
    const policies = caches.policies.store
      .list()
      .filter(({ metadata }) => metadata.namespace === workload.metadata.namespace);
    const isPartial = [...caches.policies.malformed().keys()].some((each) => splitKey(each).namespace === namespace);
    const owner = ofLivingPolicies(desiredOf(workload.metadata), policies, isPartial);
    await this.#tellOwner(workload, desiredText(owner), signal);
    for (const { pod, text } of spread({ owner, pods: podsOf(caches, workload), policies, observeOnly })) {
      const { namespace, name, uid, resourceVersion } = pod.metadata;
      const patch = { metadata: { uid, resourceVersion, annotations: { [ANNOTATION_DESIRED]: text } } };
      try {
        await patchMerge(transport, pods, { namespace, name }, patch, { fieldManager: REMEDY_FIELD_MANAGER, signal });
        log.info({ pod: name, desired: text }, 'live settings desired');
      } catch (error) {
        // Gone, made anew under its name, or changed meanwhile: that is news, and it is looked at again.
        if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
      }
    }
    // That one which is not understood was deleted is no news of the cache.
    return isPartial ? { requeueAfterMs: LOOK_EVERY_MS } : undefined;
  }

  async #tellOwner({ metadata, ...workload }: Workload, text: string | null, signal: AbortSignal): Promise<void> {
    const resource = workloadResource({ apiVersion: 'apps/v1', kind: workload.kind });
    if (!resource || (metadata.annotations[ANNOTATION_DESIRED] ?? null) === text) return;
    const { namespace, name, uid, resourceVersion } = metadata;
    const patch = { metadata: { uid, resourceVersion, annotations: { [ANNOTATION_DESIRED]: text } } };
    await patchMerge(this.#options.transport, resource, { namespace, name }, patch, {
      fieldManager: REMEDY_FIELD_MANAGER,
      signal,
    });
  }

  #isConcerned(workload: Workload): boolean {
    return carries(workload) || podsOf(this.#options.caches, workload).some(carries);
  }

  #reflectors(): readonly { readonly store: Store<Workload> }[] {
    const { deployments, statefulSets, daemonSets } = this.#options.caches;
    return [deployments, statefulSets, daemonSets];
  }
}

function keyOfWorkload({ kind, metadata }: Workload): string {
  return `${kind}/${keyOf(metadata)}`;
}

function carries({ metadata }: Workload | Pod): boolean {
  return metadata.annotations[ANNOTATION_DESIRED] !== undefined;
}
