/** Robots with a fault, and the policies that mend it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Way } from '../../src/api/index.ts';
import type { WorkloadKind } from '../../src/kube/index.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { ROBOT_NAMESPACE } from '../demo/deploy.ts';

/** A workload of the demonstration's robot, with something else about it. */
export interface RobotWorkload {
  /** Of the workload, the policy and the label `app`. */
  readonly name: string;
  /** Default: that of the demonstration. */
  readonly namespace?: string;
  /** Default: a Deployment of one pod. */
  readonly kind?: WorkloadKind;
  readonly replicas?: number;
  readonly env: Readonly<Record<string, string>>;
  /** Limit and request. */
  readonly memory: string;
  /** Request. */
  readonly cpu?: string;
  /** Of its pods; default: the demonstration's robot and load. */
  readonly pod?: object;
  readonly container?: object;
}

export interface HealingCase extends RobotWorkload {
  readonly apply: readonly Way[];
  /** The one signal that breaks its limit. */
  readonly thresholds: Readonly<Record<string, string | number>>;
  readonly memoryLimit: Readonly<Record<string, string>>;
  /** What else the policy says, or says otherwise than below. */
  readonly policy?: { readonly activity?: object; readonly tuning?: object; readonly actions?: object };
}

/** Enough to find all that belongs to it. */
export type Robot = Pick<RobotWorkload, 'name' | 'namespace' | 'kind'>;

/** GOGC=10 for 75 MB alive: the collector takes a fifth of the CPU. */
export const tooOften: HealingCase = {
  name: 'courier',
  env: { GOGC: '10' },
  memory: '384Mi',
  apply: ['Live'],
  // Under GOGC=100 it is some 2 %; on a crowded machine, whose processors the collector waits for, up to 6 %.
  thresholds: { gcCpuShare: '10%' },
  memoryLimit: { max: '512Mi' },
};

/** Its GOMEMLIMIT keeps it at nine tenths of a memory limit that is too small: it stays there, and is never killed. */
export const tooTight: HealingCase = {
  name: 'porter',
  env: { GOGC: '200', GOMEMLIMIT: '136MiB' },
  memory: '144Mi',
  apply: ['Resize'],
  thresholds: { memoryShareOfLimit: '80%' },
  memoryLimit: { max: '512Mi' },
};

const Manifest = z.looseObject({
  metadata: z.looseObject({}),
  spec: z.looseObject({
    selector: z.looseObject({}),
    template: z.looseObject({ spec: z.looseObject({ containers: z.tuple([z.looseObject({})]) }) }),
  }),
});

export async function workloadOf({
  name,
  namespace = ROBOT_NAMESPACE,
  kind = 'Deployment',
  replicas = 1,
  ...robot
}: RobotWorkload): Promise<object> {
  const text = await readFile(join(repositoryDir, 'test/demo/robot.yaml'), 'utf8');
  const { metadata, spec } = Manifest.parse(parse(text.replaceAll('dispatch', name)));
  const { selector, template } = spec;
  const container = {
    ...template.spec.containers[0],
    ...robot.container,
    env: Object.entries(robot.env).map(([name, value]) => ({ name, value })),
    resources: { requests: { cpu: robot.cpu ?? '200m', memory: robot.memory }, limits: { memory: robot.memory } },
  };
  const pod = { ...template, spec: { ...template.spec, ...robot.pod, containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { ...metadata, namespace },
    // Of a DaemonSet the nodes say how many.
    spec: { ...(kind === 'DaemonSet' ? {} : { replicas }), selector, template: pod },
  };
}

/** Acts at once and looks as briefly as it may; nothing but the case's own signal breaks a limit. */
export function policyOf({
  name,
  namespace = ROBOT_NAMESPACE,
  apply,
  thresholds,
  memoryLimit,
  policy = {},
}: HealingCase): object {
  const { activity, tuning, actions } = policy;
  return {
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      container: 'robot',
      sla: { latencyP99: '60s', gcShareOfLatency: '100%', throughput: '1%' },
      thresholds: { memoryPressureSome: '100%', memoryPressureFull: '100%', ...thresholds },
      ...(activity ? { activity } : {}),
      tuning: { formula: { base: 100 }, gogc: { maxStep: '900%' }, memoryLimit, ...tuning },
      actions: {
        mode: 'Auto',
        apply,
        // What stands in a manifest belongs to whoever applied it.
        fieldConflicts: 'TakeOver',
        cooldown: '1s',
        budget: { actions: 1000 },
        verify: { after: '1s', window: '10s' },
        ...actions,
      },
      // As long as it takes to have enough windows before the change to compare with.
      capture: { profiles: ['heap'], duration: '6s' },
    },
  };
}
