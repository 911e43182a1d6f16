/** What there is in the cluster, as the API server sends it, without asking it again and again: one watch a kind. */
import type { RobotGCIncident, RobotGCPolicy } from '../../src/api/index.ts';
import {
  incidents,
  leases,
  type Pod,
  pods,
  policies,
  Reflector,
  type Resource,
  silentLog,
  statefulSets,
  type Transport,
  type Workload,
} from '../../src/kube/index.ts';
import { NAME } from './robot.ts';

export class Sight {
  readonly policies: Reflector<unknown>;
  readonly statefulSets: Reflector<unknown>;
  readonly pods: Reflector<unknown>;
  readonly incidents: Reflector<unknown>;
  readonly leases: Reflector<unknown>;
  readonly #known = new WeakMap<object, object>();

  constructor(transport: Transport) {
    const raw = (resource: Resource<unknown>) =>
      new Reflector<unknown>({ transport, resource: { ...resource, parse: (object) => object }, log: silentLog });
    this.policies = raw(policies);
    this.statefulSets = raw(statefulSets);
    this.pods = raw(pods);
    this.incidents = raw(incidents);
    this.leases = raw(leases);
  }

  get #all() {
    return [this.policies, this.statefulSets, this.pods, this.incidents, this.leases];
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((each) => each.run(signal)));
  }

  async synced(): Promise<void> {
    for (const { store } of this.#all) await store.whenSynced(AbortSignal.timeout(60_000));
  }

  /** All that is looked at in a namespace, as it was sent. */
  objects(namespace: string): Readonly<Record<'policy' | 'workload' | 'pod' | 'incident', unknown>> {
    return {
      policy: this.policies.store.get(`${namespace}/${NAME}`),
      workload: this.statefulSets.store.get(`${namespace}/${NAME}`),
      pod: this.pods.store.get(`${namespace}/${NAME}-0`),
      incident: this.incidents.store.get(`${namespace}/${NAME}`),
    };
  }

  policy(namespace: string): RobotGCPolicy | undefined {
    return this.#parsed(this.objects(namespace).policy, policies);
  }

  workload(namespace: string): Workload | undefined {
    return this.#parsed(this.objects(namespace).workload, statefulSets);
  }

  pod(namespace: string): Pod | undefined {
    return this.#parsed(this.objects(namespace).pod, pods);
  }

  incident(namespace: string): RobotGCIncident | undefined {
    return this.#parsed(this.objects(namespace).incident, incidents);
  }

  /** Once for each version: many look at it many times a second. */
  #parsed<T extends object>(raw: unknown, { parse }: Resource<T>): T | undefined {
    if (typeof raw !== 'object' || raw === null) return undefined;
    const known = this.#known.get(raw);
    const object = known ?? parse(raw);
    this.#known.set(raw, object);
    return object as T;
  }
}
