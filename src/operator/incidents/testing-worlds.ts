/** For tests: a workload on the real API server, and what controllers, kubelet and agent make of an operator's changes to it; a world for each way to act. */
import { ANNOTATION_DESIRED, isUnreadable, parseDesired } from '../../api/index.ts';
import {
  create,
  find,
  get,
  incidents,
  type Pod,
  pods,
  policies,
  remove,
  statefulSets,
  type Transport,
} from '../../kube/index.ts';
import { resizePod } from '../resize/apply.ts';
import { triggerAt } from './testing.ts';

export const namespace = 'robots';

export interface World {
  deploy(transport: Transport, name: string): Promise<void>;
  /** Does what was asked for since the last time. */
  settle(transport: Transport, name: string): Promise<{ readonly pod: Pod; readonly gogc: number }>;
  /** What is in effect at the end, and how often the workload, or its pod, was changed on the way. */
  end(transport: Transport, name: string): Promise<object>;
}

/** GOGC in the template of a StatefulSet: a new pod for the old one. */
export const byRollout: World = {
  deploy: async (transport, name) => {
    await deployed(transport, name, { memory: '512Mi', apply: ['Rollout'] });
    await rollOut(transport, name);
  },
  settle: async (transport, name) => {
    await controller(transport, name);
    const pod = await podOf(transport, name);
    return { pod, gogc: Number(gogcOf(pod)) };
  },
  end: async (transport, name) => {
    const { spec, metadata } = await get(transport, statefulSets, { namespace, name });
    return { gogc: gogcOf(spec.template), generation: metadata.generation };
  },
};

/** GOGC in the running process, under a memory limit that has no room for it before it is raised in place. */
export const inPlace: World = {
  deploy: async (transport, name) => {
    await deployed(transport, name, { memory: '128Mi', apply: ['Live', 'Resize'] });
    await rollOut(transport, name);
    await kubelet(transport, name);
  },
  settle: async (transport, name) => {
    await controller(transport, name);
    await kubelet(transport, name);
    const gogc = await agent(transport, name);
    return { pod: await podOf(transport, name), gogc };
  },
  end: async (transport, name) => {
    const { metadata } = await get(transport, statefulSets, { namespace, name });
    const pod = await podOf(transport, name);
    const limit = pod.spec.containers[0]?.resources.limits.memory;
    return {
      gogc: await agent(transport, name),
      limit,
      generation: metadata.generation,
      resizes: pod.metadata.generation,
    };
  },
};

/** As `inPlace`, and the limit that was verified goes into the template, of which a new pod is made. */
export const kept: World = {
  ...inPlace,
  deploy: async (transport, name) => {
    await deployed(transport, name, { memory: '128Mi', apply: ['Live', 'Resize'], persist: true });
    await rollOut(transport, name);
    await kubelet(transport, name);
  },
};

/** GOGC in the running process, which the robots that it serves are to set without any breach. */
export const followed: World = {
  ...inPlace,
  deploy: async (transport, name) => {
    const more = { activity: { tcpConnections: { port: 8080 } }, continuous: true };
    await deployed(transport, name, { memory: '512Mi', apply: ['Live'], ...more });
    await rollOut(transport, name);
    await kubelet(transport, name);
    const container = { pod: `${name}-0`, container: 'robot', node: 'node-1', state: 'Watching' };
    await patchStatus(transport, policyPath(name), { containers: [container] });
  },
};

/** A memory limit that an incident raised in place, is over, and that nothing needs any more. */
export const raised: World = {
  ...inPlace,
  deploy: async (transport, name) => {
    const tuning = { continuous: true, formula: { base: 10, baseline: 1_000_000 }, gogc: { min: 5 } };
    const memoryLimit = { max: '512Mi', lowerAfter: '1s' };
    const more = { activity: { tcpConnections: { port: 8080 } }, tuning: { ...tuning, memoryLimit } };
    await deployed(transport, name, { memory: '128Mi', apply: ['Live', 'Resize'], ...more });
    await rollOut(transport, name);
    await kubelet(transport, name);
    const container = { pod: `${name}-0`, container: 'robot', node: 'node-1', state: 'Watching' };
    await patchStatus(transport, policyPath(name), { containers: [container] });
    const signal = AbortSignal.timeout(30_000);
    await resizePod(transport, await podOf(transport, name), RAISED, { takeOver: false, signal });
    await kubelet(transport, name);
    await healed(transport, name);
  },
};
const RAISED = { container: 'robot', limit: '160Mi' };

/** The incident that it was raised for: nothing of it is under way. */
async function healed(transport: Transport, name: string): Promise<void> {
  const { metadata } = await get(transport, statefulSets, { namespace, name });
  const policy = await get(transport, policies, { namespace, name });
  const pod = await podOf(transport, name);
  const atMs = Date.now() - 10 * 60_000;
  await create(transport, incidents, {
    metadata: { name, namespace },
    spec: {
      policy: { name, uid: policy.metadata.uid, generation: 1 },
      pod: { name: pod.metadata.name, uid: pod.metadata.uid },
      container: { name: 'robot', id: 'containerd://1' },
      node: 'node-1',
      trigger: triggerAt(atMs),
    },
  });
  const at = new Date(atMs).toISOString();
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: metadata.uid };
  const change = { knob: 'MemoryLimit', before: '128Mi', after: '160Mi', at, result: 'Completed' };
  await patchStatus(transport, `/apis/robotgc.dev/v1alpha1/namespaces/${namespace}/robotgcincidents/${name}`, {
    phase: 'Resolved',
    actions: [{ kind: 'Resize', owner, container: 'robot', ...change }],
    times: { finishedAt: at },
  });
}

interface Deployed {
  readonly memory: string;
  readonly apply: readonly string[];
  readonly activity?: object;
  readonly continuous?: boolean;
  readonly persist?: boolean;
  /** Over what else there is. */
  readonly tuning?: object;
}

async function deployed(
  transport: Transport,
  name: string,
  { memory, apply, activity, continuous = false, persist = false, tuning = {} }: Deployed,
): Promise<void> {
  const spec = {
    replicas: 1,
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: template(name, '10', memory),
  };
  await create(transport, statefulSets, { metadata: { name, namespace }, spec }, { fieldManager: 'team' });
  await create(transport, policies, {
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      sla: { latencyP99: '200ms' },
      ...(activity ? { activity } : {}),
      tuning: { continuous, gogc: { maxStep: '900%' }, memoryLimit: { max: '512Mi' }, ...tuning },
      actions: { mode: 'Auto', apply, persist, fieldConflicts: 'TakeOver', verify: { after: '0s', window: '10s' } },
    },
  });
}

const template = (name: string, gogc: string, memory: string) => ({
  metadata: { labels: { app: name } },
  spec: {
    automountServiceAccountToken: false,
    containers: [
      { name: 'robot', image: 'i', env: [{ name: 'GOGC', value: gogc }], resources: { limits: { memory } } },
    ],
  },
});

async function controller(transport: Transport, name: string): Promise<void> {
  const { metadata, status } = await get(transport, statefulSets, { namespace, name });
  const isThere = await find(transport, pods, { namespace, name: `${name}-0` });
  if (!isThere || status.observedGeneration < metadata.generation) await rollOut(transport, name);
}

/** What the StatefulSet controller does: a pod from the template, and a status that says so. */
async function rollOut(transport: Transport, name: string): Promise<void> {
  const { metadata, spec } = await get(transport, statefulSets, { namespace, name });
  const limit = spec.template.spec.containers[0]?.resources.limits.memory ?? '';
  const pod = { name: `${name}-0`, namespace };
  await remove(transport, pods, pod, { gracePeriodSeconds: 0 });
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: metadata.uid, controller: true };
  const made = { ...pod, labels: { app: name }, ownerReferences: [owner] };
  const { spec: podSpec } = template(name, gogcOf(spec.template) ?? '', limit);
  await create(transport, pods, { metadata: made, spec: podSpec }, { fieldManager: 'kube-controller-manager' });
  const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const status = { observedGeneration: metadata.generation, ...counts };
  await patchStatus(transport, `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`, status);
}

/** The pod runs, under the limit that its spec says. */
async function kubelet(transport: Transport, name: string): Promise<void> {
  const { spec, status } = await podOf(transport, name);
  const limits = spec.containers[0]?.resources.limits ?? {};
  if (status.containerStatuses[0]?.resources.limits.memory === limits.memory) return;
  const robot = { name: 'robot', image: 'i', imageID: 'i', ready: true, restartCount: 0, resources: { limits } };
  await patchStatus(transport, `/api/v1/namespaces/${namespace}/pods/${name}-0`, {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [robot],
  });
}

/** Sets in the process what the workload's annotation desires, and tells. @returns GOGC in effect */
async function agent(transport: Transport, name: string): Promise<number> {
  const { metadata } = await get(transport, statefulSets, { namespace, name });
  const desired = parseDesired(metadata.annotations[ANNOTATION_DESIRED]);
  const policy = await find(transport, policies, { namespace, name });
  // What a policy desired that is gone is nobody's wish.
  const wish = isUnreadable(desired) || !policy ? undefined : desired.robot?.GOGC?.to;
  const told = policy?.status.containers?.[0]?.live;
  const gogc = Number(wish ?? 10);
  const state = wish ? 'Applied' : 'Reverted';
  if ((told || wish) && (told?.gogc !== gogc || told.state !== state)) {
    const live = { state, gogc, at: new Date().toISOString() };
    const container = { pod: `${name}-0`, container: 'robot', node: 'node-1', state: 'Watching', live };
    await patchStatus(transport, policyPath(name), { containers: [container] });
  }
  return gogc;
}

function policyPath(name: string): string {
  return `/apis/robotgc.dev/v1alpha1/namespaces/${namespace}/robotgcpolicies/${name}`;
}

async function patchStatus(transport: Transport, path: string, status: object): Promise<void> {
  const contentType = 'application/merge-patch+json';
  await transport.json({ method: 'PATCH', path: `${path}/status`, contentType, body: { status } });
}

function podOf(transport: Transport, name: string): Promise<Pod> {
  return get(transport, pods, { namespace, name: `${name}-0` });
}

function gogcOf({ spec }: { readonly spec: Pick<Pod['spec'], 'containers'> }): string | undefined {
  return spec.containers[0]?.env[0]?.value;
}
