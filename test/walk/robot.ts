/**
 * A robot on the real API server, and what controller, kubelet and the agent of its node make of what they are told: a StatefulSet of one pod,
 * whose process is a GOGC and a GOMEMLIMIT. What the agent may do it decides as the product's own does, by `watchlist` and `wishOf`.
 */
import { containerId, watchlist } from '../../src/agent/containers/watchlist.ts';
import { type Wish, wishOf } from '../../src/agent/live/wish.ts';
import {
  ANNOTATION_DESIRED,
  ANNOTATION_PAUSED,
  isUnreadable,
  type LiveState,
  parseDesired,
  quantityBytes,
  type RobotGCPolicy,
} from '../../src/api/index.ts';
import {
  apply,
  create,
  memoryLimitOf,
  type Pod,
  patchMerge,
  pods,
  policies,
  remove,
  statefulSets,
  type Transport,
  type Workload,
} from '../../src/kube/index.ts';
import type { SignalWindow } from '../../src/model/index.ts';
import { T0, windowAt } from '../../src/operator/incidents/testing.ts';
import type { Sight } from './sight.ts';
import type { Json } from './values.ts';

export const NAME = 'dispatch';
const GOGC = '10';
const TEAM = { fieldManager: 'team', force: true };

interface Settings {
  readonly gogc: number;
  readonly goMemLimitBytes: number | null;
}

/** Of the pod with this uid. */
interface Process {
  readonly podUid: string;
  /** The program's own. */
  readonly original: Settings;
  readonly settings: Settings;
  readonly live: LiveState | undefined;
}

export class Robot {
  readonly namespace: string;
  readonly #transport: Transport;
  readonly #sight: Sight;
  readonly #followsFile: boolean;
  #process: Process | undefined;
  /** Of which nothing is due any more. */
  #seen: readonly unknown[] = [];
  #template = '';
  #told = '[]';
  /** The newest policy that the agent has answered. */
  #generation = 0;

  /** @param followsFile the program sets by itself what its pod's annotation says, whoever selects the pod */
  constructor(transport: Transport, sight: Sight, namespace: string, followsFile: boolean) {
    this.#transport = transport;
    this.#sight = sight;
    this.namespace = namespace;
    this.#followsFile = followsFile;
  }

  get #ref() {
    return { namespace: this.namespace, name: NAME };
  }

  get gogc(): number | undefined {
    return this.#process?.settings.gogc;
  }

  /** Whether the agent has answered what the policy says by now. */
  hasAnswered(generation: number): boolean {
    return this.#generation >= generation;
  }

  async deploy(memory: string, spec: Json): Promise<void> {
    const labels = { app: NAME, tier: 'robots' };
    const robot = {
      name: 'robot',
      image: 'i',
      env: [{ name: 'GOGC', value: GOGC }],
      resources: { limits: { memory } },
    };
    const template = { metadata: { labels }, spec: { automountServiceAccountToken: false, containers: [robot] } };
    const body = { replicas: 1, serviceName: NAME, selector: { matchLabels: labels }, template };
    await apply(this.#transport, statefulSets, { metadata: this.#ref, spec: body }, TEAM);
    await this.declare(spec);
  }

  /** The team's policy, as a whole. @returns its generation */
  async declare(spec: Json): Promise<number> {
    const { metadata } = await apply(this.#transport, policies, { metadata: this.#ref, spec }, TEAM);
    return metadata.generation;
  }

  /** The kill switch on the workload. @returns the policy's generation, which it does not change */
  async pause(isOn: boolean): Promise<number> {
    const patch = { metadata: { annotations: { [ANNOTATION_PAUSED]: isOn ? 'true' : null } } };
    await patchMerge(this.#transport, statefulSets, this.#ref, patch, { fieldManager: 'kubectl' });
    return this.#sight.policy(this.namespace)?.metadata.generation ?? 0;
  }

  /** What is due now; at most one write of each of the three. */
  async tick(): Promise<void> {
    const seen = Object.values(this.#sight.objects(this.namespace));
    if (seen.every((object, index) => object === this.#seen[index])) return;
    const workload = this.#sight.workload(this.namespace);
    const pod = this.#sight.pod(this.namespace);
    if (workload) await this.#control(workload, pod);
    if (pod?.metadata.deletionTimestamp === '') {
      await this.#run(pod);
      await this.#agent(pod);
    }
    this.#seen = seen;
  }

  /** A second of the running process, while a policy selects it. */
  window(endMs: number): SignalWindow[] {
    const [pod, known] = [this.#sight.pod(this.namespace), this.#process];
    const policy = this.#sight.policy(this.namespace);
    if (!pod || !known || !policy || !selects(policy, pod)) return [];
    const { gogc, goMemLimitBytes } = known.settings;
    const share = (gogc <= 20 ? 0.2 : 0.02) + Math.random() / 1000;
    const window = windowAt(endMs - T0, share, gogc);
    const { name, namespace, uid } = pod.metadata;
    const gc = window.gc && { ...window.gc, goMemLimitBytes };
    return [{ ...window, gc, containerId: idOf(pod), pod: { name, namespace, uid } }];
  }

  /** The StatefulSet controller: a pod from the template, and a status that says so. */
  async #control({ metadata, spec, status }: Workload, pod: Pod | undefined): Promise<void> {
    const { containers } = spec.template.spec;
    const template = JSON.stringify(containers);
    if (pod && template === this.#template && status.observedGeneration === metadata.generation) return;
    if (template !== this.#template) {
      const name = `${NAME}-0`;
      await remove(this.#transport, pods, { namespace: this.namespace, name }, { gracePeriodSeconds: 0 });
      const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: NAME, uid: metadata.uid, controller: true };
      const { labels } = spec.template.metadata;
      const made = { name, namespace: this.namespace, labels, ownerReferences: [owner] };
      const [robot] = containers;
      const env = robot?.env.map(({ name: variable, value }) => ({ name: variable, value }));
      const container = { name: 'robot', image: 'i', env, resources: robot?.resources };
      const body = { automountServiceAccountToken: false, containers: [container] };
      await create(this.#transport, pods, { metadata: made, spec: body }, { fieldManager: 'kube-controller-manager' });
      this.#template = template;
    }
    const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    const said = { status: { observedGeneration: metadata.generation, ...counts } };
    await patchMerge(this.#transport, statefulSets, this.#ref, said, { subresource: 'status' });
  }

  /** The kubelet: it runs, under the limit that its spec says. */
  async #run(pod: Pod): Promise<void> {
    const limits = pod.spec.containers[0]?.resources.limits ?? {};
    if (pod.status.containerStatuses[0]?.resources.limits.memory === limits.memory) return;
    const state = { running: { startedAt: new Date().toISOString() } };
    const runs = { ready: true, restartCount: 0, containerID: `containerd://${pod.metadata.uid}`, state };
    const status = {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'robot', image: 'i', imageID: 'i', ...runs, resources: { limits } }],
    };
    const ref = { namespace: this.namespace, name: pod.metadata.name };
    await patchMerge(this.#transport, pods, ref, { status }, { subresource: 'status' });
  }

  async #agent(pod: Pod): Promise<void> {
    const policy = this.#sight.policy(this.namespace);
    if (!policy || idOf(pod) === '') return;
    const before = this.#processOf(pod);
    const isSelected = selects(policy, pod);
    const next = after(before, wishFor(pod, isSelected ? [policy] : []));
    this.#process = this.#followsFile ? { ...next, settings: fileOf(pod, before.original) } : next;
    const { live } = this.#process;
    const where = { pod: pod.metadata.name, container: 'robot', node: 'node-1' };
    const containers = isSelected ? [{ ...where, state: 'Watching', ...(live ? { live } : {}) }] : [];
    const text = JSON.stringify(containers);
    if (text !== this.#told) {
      const options = { fieldManager: 'robotgc-agent-node-1', subresource: 'status', force: true };
      await apply(this.#transport, policies, { metadata: this.#ref, status: { containers } }, options);
      this.#told = text;
    }
    this.#generation = policy.metadata.generation;
  }

  #processOf({ metadata, spec }: Pod): Process {
    if (this.#process?.podUid === metadata.uid) return this.#process;
    const gogc = Number(spec.containers[0]?.env.find(({ name }) => name === 'GOGC')?.value);
    const own = { gogc, goMemLimitBytes: null };
    return { podUid: metadata.uid, original: own, settings: own, live: undefined };
  }
}

function idOf(pod: Pod): string {
  const [status] = pod.status.containerStatuses;
  return status ? containerId(status) : '';
}

function selects(policy: RobotGCPolicy, pod: Pod): boolean {
  return watchlist([policy], [pod]).selected.has(idOf(pod));
}

function wishFor(pod: Pod, selecting: readonly RobotGCPolicy[]): Wish {
  return wishOf({
    annotations: pod.metadata.annotations,
    container: 'robot',
    policies: selecting,
    limitBytes: quantityBytes(memoryLimitOf(pod, 'robot') ?? '') ?? null,
    onDelete: undefined,
  });
}

/** As the agent's `LiveController`: each knob on its own, all that was set goes back together. */
function after(process: Process, wish: Wish): Process {
  const { original, settings, live } = process;
  if (wish.type === 'keep') return process;
  if (wish.type !== 'set') {
    if (wish.type === 'refuse') {
      const { reason, message } = wish;
      return { ...process, settings: original, live: told(live, { state: 'Refused', reason, message }) };
    }
    const wasSet = live?.state === 'Applied';
    if (wasSet) return { ...process, settings: original, live: told(live, { state: 'Reverted', ...saidOf(original) }) };
    return live?.state === 'Refused' ? { ...process, live: undefined } : process;
  }
  const { gcPercent = settings.gogc, memoryLimitBytes = settings.goMemLimitBytes } = wish.change;
  const wanted = { gogc: gcPercent, goMemLimitBytes: memoryLimitBytes };
  const isSet = wanted.gogc === settings.gogc && wanted.goMemLimitBytes === settings.goMemLimitBytes;
  if (!isSet && !wish.mayWrite)
    return { ...process, live: told(live, { state: 'Refused', reason: 'NotAuto', message: 'not Auto' }) };
  return { ...process, settings: wanted, live: told(live, { state: 'Applied', ...saidOf(wanted) }) };
}

/** docs/cooperation.md */
function fileOf({ metadata }: Pod, original: Settings): Settings {
  const desired = parseDesired(metadata.annotations[ANNOTATION_DESIRED]);
  const wish = isUnreadable(desired) ? undefined : desired.robot;
  const limit = wish?.GOMEMLIMIT ? wish.GOMEMLIMIT.to : original.goMemLimitBytes;
  return { gogc: Number(wish?.GOGC?.to ?? original.gogc), goMemLimitBytes: limit === null ? null : Number(limit) };
}

function saidOf({ gogc, goMemLimitBytes }: Settings): Pick<LiveState, 'gogc' | 'memoryLimitBytes'> {
  return { gogc, ...(goMemLimitBytes === null ? {} : { memoryLimitBytes: goMemLimitBytes }) };
}

/** What is no news keeps its time. */
function told(before: LiveState | undefined, state: Omit<LiveState, 'at'>): LiveState {
  const { at: _, ...same } = before ?? { at: '' };
  const isNews = JSON.stringify(same) !== JSON.stringify(state);
  return before && !isNews ? before : { ...state, at: new Date().toISOString() };
}
