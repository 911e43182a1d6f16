/** What a cluster holds of one robot, in memory: the policy, the workload, its pod, the incidents. As the API server would hand them out. */
import {
  type ActionRecord,
  ANNOTATION_DESIRED,
  bytesQuantity,
  type ContainerState,
  desiredText,
  type LiveState,
  type RobotGCIncident,
  RobotGCPolicy,
  type TuningState,
  withChange,
} from '../../../src/api/index.ts';
import type { Pod } from '../../../src/kube/index.ts';
import { type FoundWorkload, viewWorkload } from '../../../src/operator/incidents/workload.ts';
import { desiredOf } from '../../../src/operator/workloads/desired.ts';
import { NO_NEIGHBOURS } from '../../../src/operator/workloads/neighbours.ts';
import { podOf, workloadOf } from '../../../src/operator/workloads/testing.ts';

export const CONTAINER = 'robot';
export const NODE = 'node-1';
const NAMESPACE = 'robots';
const POLICY_UID = 'policy-uid';

export class ProductWorld {
  readonly #spec: object;
  readonly #templateLimit: string;
  #podLimit: string;
  #pods = 1;
  #limitInEffect: string;
  #annotations: Readonly<Record<string, string>> = {};
  #policy: RobotGCPolicy;
  #workload: FoundWorkload | undefined;
  #pod: Pod | undefined;
  readonly incidents: RobotGCIncident[] = [];

  constructor(spec: object, memoryLimitBytes: number) {
    this.#spec = spec;
    const limit = bytesQuantity(memoryLimitBytes);
    this.#templateLimit = limit;
    this.#podLimit = limit;
    this.#limitInEffect = limit;
    this.#policy = RobotGCPolicy.parse({
      apiVersion: 'robotgc.dev/v1alpha1',
      kind: 'RobotGCPolicy',
      metadata: { name: 'dispatch', namespace: NAMESPACE, uid: POLICY_UID, generation: 1 },
      spec: this.#spec,
    });
  }

  get policy(): RobotGCPolicy {
    return this.#policy;
  }

  get annotations(): Readonly<Record<string, string>> {
    return this.#annotations;
  }

  get pod(): Pod {
    this.#pod ??= podOf(this.#podName, {
      metadata: { annotations: this.#annotations },
      containers: [container(this.#podLimit)],
      containerStatuses: [{ name: CONTAINER, resources: { limits: { memory: this.#limitInEffect } } }],
    });
    return this.#pod;
  }

  get workload(): FoundWorkload {
    this.#workload ??= found(this.#annotations, this.#templateLimit, this.pod);
    return this.#workload;
  }

  /** What the agents say of the container. */
  tell(live: LiveState): void {
    const container: ContainerState = { pod: this.#podName, container: CONTAINER, node: NODE, state: 'Watching', live };
    this.#policy = { ...this.#policy, status: { ...this.#policy.status, containers: [container] } };
  }

  remember(tuning: TuningState): void {
    this.#policy = { ...this.#policy, status: { ...this.#policy.status, tuning: [tuning] } };
  }

  write(incident: RobotGCIncident, change: Partial<RobotGCIncident['status']>): RobotGCIncident {
    const written = { ...incident, status: { ...incident.status, ...change } };
    const at = this.incidents.findIndex(({ metadata }) => metadata.uid === incident.metadata.uid);
    this.incidents[at < 0 ? this.incidents.length : at] = written;
    return written;
  }

  /** The wish in the owner's annotation, as Live writes it. */
  wish({ knob, kind, before: from, after: to, underBytes }: ActionRecord): void {
    if (knob !== 'GOGC' && knob !== 'GOMEMLIMIT') return;
    const stays = kind !== 'Rollback';
    const change = { policy: POLICY_UID, knob, from, to, stays, underBytes: underBytes?.after };
    const text = desiredText(withChange(desiredOf({ annotations: this.#annotations }), CONTAINER, change));
    this.#annotations = text === null ? {} : { [ANNOTATION_DESIRED]: text };
    this.#forget();
  }

  resize(limit: string): void {
    this.#podLimit = limit;
    this.#forget();
  }

  /** Evicted, and made anew as the template says. */
  startAnew(): void {
    this.#pods += 1;
    this.#podLimit = this.#templateLimit;
    this.#limitInEffect = this.#templateLimit;
    this.#forget();
  }

  /** The kubelet did what the pod's spec says. @returns the limit in effect */
  kubelet(): string {
    if (this.#limitInEffect !== this.#podLimit) {
      this.#limitInEffect = this.#podLimit;
      this.#forget();
    }
    return this.#limitInEffect;
  }

  get #podName(): string {
    return `dispatch-${this.#pods}`;
  }

  #forget(): void {
    this.#pod = undefined;
    this.#workload = undefined;
  }
}

function found(annotations: Readonly<Record<string, string>>, limit: string, pod: Pod): FoundWorkload {
  const object = workloadOf('Deployment', { metadata: { annotations }, containers: [container(limit)] });
  const view = viewWorkload(object, CONTAINER, { pods: [pod], neighbours: NO_NEIGHBOURS });
  if (view.type !== 'found') throw new Error(view.message);
  return view;
}

function container(limit: string): object {
  return { name: CONTAINER, resources: { limits: { memory: limit } } };
}
