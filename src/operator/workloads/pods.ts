/** The pods of a workload. Pure over what the caches hold. */
import type { Knob, Setting } from '../../api/index.ts';
import type { Pod, ReplicaSet, Store, Workload } from '../../kube/index.ts';
import { settingOf } from './settings.ts';

/** Stores with an index `controller`, by the uid of the controlling owner. */
export interface Descent {
  readonly pods: { readonly store: Store<Pod> };
  readonly replicaSets: { readonly store: Store<ReplicaSet> };
}

export function podsOf({ pods, replicaSets }: Descent, { kind, metadata }: Workload): Pod[] {
  const owners = kind === 'Deployment' ? replicaSets.store.byIndex('controller', metadata.uid) : [{ metadata }];
  return owners.flatMap((owner) => pods.store.byIndex('controller', owner.metadata.uid));
}

/** Those that were made from a template with the setting, and stay. */
export function podsWith(pods: readonly Pod[], container: string, knob: Knob, setting: Setting): Pod[] {
  return pods.filter(({ metadata, spec }) => {
    if (metadata.deletionTimestamp !== '') return false;
    const found = spec.containers.find(({ name }) => name === container);
    return found !== undefined && settingOf(found, knob).setting === setting;
  });
}
