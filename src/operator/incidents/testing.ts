/** Incidents, policies and workloads for tests: valid by the schemas, changed where a test says so. */
import {
  type ActionRecord,
  type IncidentStatus,
  RobotGCIncident,
  RobotGCPolicy,
  type SignalSummary,
  type Trigger,
} from '../../api/index.ts';
import { type Pod, pods } from '../../kube/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import { NO_RESIZE } from '../resize/observe.ts';
import { NO_NEIGHBOURS } from '../workloads/neighbours.ts';
import { workloadOf } from '../workloads/testing.ts';
import type { IncidentView } from './view.ts';
import type { FoundWorkload } from './workload.ts';

export const T0 = Date.parse('2026-01-01T00:00:00.000Z');

export function policyWith(actions: object = {}, tuning: object = {}): RobotGCPolicy {
  return RobotGCPolicy.parse({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name: 'dispatch', namespace: 'robots', uid: 'policy-uid', generation: 1 },
    spec: {
      selector: { matchLabels: { app: 'dispatch' } },
      sla: { latencyP99: '200ms' },
      tuning,
      actions: { mode: 'Auto', apply: ['Rollout'], verify: { after: '5s', window: '15s' }, ...actions },
    },
  });
}

/** GC takes 20 % of the CPU, 5 % are allowed; known after two seconds. */
export function triggerAt(detectedMs: number): Trigger {
  return {
    signal: 'gcCpuShare',
    observed: 0.2,
    threshold: 0.05,
    unit: 'ratio',
    breachingWindows: 3,
    ofWindows: 5,
    firstBreachAt: new Date(detectedMs - 2000).toISOString(),
    detectedAt: new Date(detectedMs).toISOString(),
  };
}

export function incidentWith(status: IncidentStatus = {}): RobotGCIncident {
  return RobotGCIncident.parse({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCIncident',
    metadata: { name: 'dispatch-1', namespace: 'robots', uid: 'incident-uid', resourceVersion: '7' },
    spec: {
      policy: { name: 'dispatch', uid: 'policy-uid', generation: 1 },
      pod: { name: 'dispatch-abc', uid: 'pod-uid' },
      container: { name: 'robot', id: 'containerd://1' },
      node: 'node-1',
      trigger: triggerAt(T0 + 2000),
    },
    status,
  });
}

/** In which GOGC of the container `robot` is 10. */
export const foundWorkload: FoundWorkload = {
  type: 'found',
  owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'owner-uid' },
  container: 'robot',
  settings: {
    GOGC: { setting: '10', fromRef: false },
    GOMEMLIMIT: { setting: null, fromRef: false },
    MemoryLimit: { setting: '512Mi', fromRef: false },
  },
  requestFollows: false,
  memoryLimitBytes: 512 * 2 ** 20,
  rollout: { state: 'settled', sentence: 'every pod is new and available' },
  paused: false,
  object: workloadOf('Deployment'),
  pods: [],
  neighbours: NO_NEIGHBOURS,
  desired: {},
};

export function workloadWithGogc(gogc: string | null, change: Partial<FoundWorkload> = {}): FoundWorkload {
  const settings = { ...foundWorkload.settings, GOGC: { setting: gogc, fromRef: false } };
  return { ...foundWorkload, settings, ...change };
}

export const summary: SignalSummary = {
  windows: 15,
  gcCpuShare: 0.2,
  gcStallP99Ms: 3,
  gcPauseP99Ms: 0.3,
  gcRatePerSecond: 8,
  heapLiveBytes: 60 * 2 ** 20,
  heapGoalBytes: 66 * 2 ** 20,
  gogc: 10,
};

export function viewWith(view: Partial<IncidentView> = {}): IncidentView {
  return {
    incident: incidentWith(),
    policy: policyWith(),
    workload: foundWorkload,
    resize: NO_RESIZE,
    bundle: 'awaited',
    before: [],
    after: [],
    history: [],
    tuned: [],
    busyWith: undefined,
    watchedSinceMs: 0,
    observeOnly: false,
    breaker: { type: 'closed' },
    ...view,
  };
}

/** @param uid `pod-uid` is that of the pod in breach @param pending why the kubelet has not come to it */
export function podLimitedTo(uid: string, limit: string, inEffect = limit, pending = ''): Pod {
  const waiting = { type: 'PodResizePending', status: 'True', reason: pending, message: 'no room' };
  return pods.parse({
    metadata: { name: `dispatch-${uid}`, namespace: 'robots', uid, resourceVersion: '1', generation: 2 },
    spec: { containers: [{ name: 'robot', resources: { limits: { memory: limit } } }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }, ...(pending === '' ? [] : [waiting])],
      containerStatuses: [{ name: 'robot', resources: { limits: { memory: inEffect } } }],
    },
  });
}

/** A second of a container whose collector takes `share` of the CPU, ended `endMs` after T0. */
export function windowAt(endMs: number, share: number, gogc: number): SignalWindow {
  const stall = { count: 16, p50Ns: 5e5, p99Ns: share * 1e7, maxNs: share * 1e7, sumNs: 1e7 };
  const quiet = { count: 0, p50Ns: 0, p99Ns: 0, maxNs: 0, sumNs: 0 };
  return {
    endedAt: iso(endMs),
    durationMs: 1000,
    seq: Math.round(endMs / 1000),
    pod: { namespace: 'robots', name: 'dispatch-abc', uid: 'pod-uid' },
    container: 'robot',
    containerId: '1',
    pids: [1],
    gcPause: stall,
    gcAssist: quiet,
    gcStall: stall,
    capturePause: quiet,
    gc: {
      cycles: 8,
      cpuShare: share,
      assistShare: 0,
      heapLiveBytes: 60 * 2 ** 20,
      heapGoalBytes: 66 * 2 ** 20,
      rootsBytes: 2 ** 20,
      allocBytesPerSecond: 5e7,
      gogc,
      goMemLimitBytes: null,
      gomaxprocs: 2,
      limitDrivenCycles: 0,
    },
    cgroup: null,
    activeRobots: 10_000,
    lostEvents: 0,
  };
}

export function iso(afterMs: number): string {
  return new Date(T0 + afterMs).toISOString();
}

/** GOGC 10 → 100 in the template of the workload above. */
export const rolloutRecord: ActionRecord = {
  kind: 'Rollout',
  owner: foundWorkload.owner,
  container: 'robot',
  knob: 'GOGC',
  before: '10',
  after: '100',
  at: iso(10_000),
  result: 'Applied',
};
