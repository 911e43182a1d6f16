/** A robot on a cluster is healed: what is done to it, and what is seen of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isFinal, type LiveState, RobotGCIncident, RobotGCPolicy } from '../../src/api/index.ts';
import type { ReachableCluster } from '../cluster/cluster.ts';
import { ROBOT_NAMESPACE } from '../demo/deploy.ts';
import { until } from '../support/until.ts';
import { type HealingCase, policyOf, type Robot, workloadOf } from './robots.ts';

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: string;
  readonly restarts: number;
  readonly containerId: string;
  /** Memory, as the pod asks for it, and as the kubelet says that it is. */
  readonly limit: string;
  readonly limitInEffect: string;
}

export interface Healing {
  /** In a final phase. */
  readonly incident: RobotGCIncident;
  /** What the agent says of its container. */
  readonly live: LiveState | undefined;
}

/** Detection, capture and comparison together take some 25 s; a rollout of each pod in turn twice that, and others may want the processors. */
const healingLimitMs = 240_000;
const lookMs = 500;

const memory = z.object({ limits: z.object({ memory: z.string() }) });
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        creationTimestamp: z.string(),
        deletionTimestamp: z.string().optional(),
      }),
      spec: z.object({ containers: z.tuple([z.object({ resources: memory })]) }),
      status: z.object({
        containerStatuses: z
          .tuple([
            z.object({ restartCount: z.int(), containerID: z.string().default(''), resources: memory.optional() }),
          ])
          .optional(),
      }),
    }),
  ),
});
const Runtime = z.object({ metrics: z.object({ '/gc/gogc:percent': z.int(), '/gc/gomemlimit:bytes': z.number() }) });

export function namespaceOf({ namespace = ROBOT_NAMESPACE }: Robot): string {
  return `--namespace=${namespace}`;
}

/** As kubectl names it: `deployment/courier`. */
export function workloadName({ kind = 'Deployment', name }: Robot): string {
  return `${kind.toLowerCase()}/${name}`;
}

/** Resolves once it is ready. */
export async function deploy(cluster: ReachableCluster, healing: HealingCase): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(await workloadOf(healing)));
  await cluster.kubectl(['rollout', 'status', workloadName(healing), namespaceOf(healing), '--timeout=120s']);
}

/** The robot and its policy, with all their pods and incidents; does not wait for their end. */
export async function remove(cluster: ReachableCluster, robot: Robot): Promise<void> {
  const args = ['--ignore-not-found', '--wait=false'];
  await cluster.kubectl(['delete', `rgp/${robot.name}`, workloadName(robot), namespaceOf(robot), ...args]);
}

/** Those that stay, by name. */
export async function podsOf(cluster: ReachableCluster, robot: Robot): Promise<PodFacts[]> {
  const args = ['get', 'pods', namespaceOf(robot), `--selector=app=${robot.name}`, '--output=json'];
  const { items } = Pods.parse(JSON.parse((await cluster.kubectl(args)).stdout));
  const pods = items.flatMap(({ metadata, spec, status }): PodFacts[] => {
    if (metadata.deletionTimestamp !== undefined) return [];
    const container = status.containerStatuses?.[0];
    return [
      {
        name: metadata.name,
        uid: metadata.uid,
        createdAt: metadata.creationTimestamp,
        restarts: container?.restartCount ?? 0,
        containerId: container?.containerID ?? '',
        limit: spec.containers[0].resources.limits.memory,
        limitInEffect: container?.resources?.limits.memory ?? '',
      },
    ];
  });
  return pods.sort((a, b) => a.name.localeCompare(b.name));
}

/** Its one pod. */
export async function podOf(cluster: ReachableCluster, robot: Robot): Promise<PodFacts> {
  const [pod, ...more] = await podsOf(cluster, robot);
  if (!pod || more.length > 0) throw new Error(`${robot.name} has ${pod ? more.length + 1 : 0} pods, not one`);
  return pod;
}

/** GOGC and GOMEMLIMIT as the program's own runtime/metrics tell them. */
export async function settingsOf(
  cluster: ReachableCluster,
  { namespace = ROBOT_NAMESPACE }: Robot,
  { name }: Pick<PodFacts, 'name'>,
): Promise<{ readonly gogc: number; readonly goMemLimitBytes: number }> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}:8081/proxy/runtime`;
  const { metrics } = Runtime.parse(JSON.parse((await cluster.kubectl(['get', '--raw', path])).stdout));
  return { gogc: metrics['/gc/gogc:percent'], goMemLimitBytes: metrics['/gc/gomemlimit:bytes'] };
}

export async function gogcOf(cluster: ReachableCluster, robot: Robot, pod: Pick<PodFacts, 'name'>): Promise<number> {
  return (await settingsOf(cluster, robot, pod)).gogc;
}

/** Applies the policy, and waits until its first incident is over. @throws when none is in time */
export async function heal(cluster: ReachableCluster, healing: HealingCase, signal?: AbortSignal): Promise<Healing> {
  return over(cluster, healing, await setPolicy(cluster, healing), signal ? { signal } : {});
}

/** Applies the policy. @returns its uid */
export async function setPolicy(cluster: ReachableCluster, healing: HealingCase): Promise<string> {
  const args = ['apply', '-f', '-', '--output=jsonpath={.metadata.uid}'];
  return (await cluster.kubectl(args, JSON.stringify(policyOf(healing)))).stdout.trim();
}

interface Wait {
  /** Which incident of the policy, from 0. */
  readonly nth?: number;
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

/** @throws when it is not over in time, or the signal's reason */
export async function over(
  cluster: ReachableCluster,
  robot: Robot,
  policyUid: string,
  { nth = 0, limitMs = healingLimitMs, signal }: Wait = {},
): Promise<Healing> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const incident = (await incidentsOf(cluster, robot, policyUid))[nth];
    const isOver = isFinal(incident?.status.phase);
    if (isOver || performance.now() > endMs) {
      const { containers } = (await policyNow(cluster, robot)).status;
      if (incident && isOver) return { incident, live: containers?.[0]?.live };
      const seen = JSON.stringify({ incident: incident?.status, containers });
      throw new Error(`${robot.name} was not healed within ${limitMs / 1000} s: ${seen}`);
    }
    signal?.throwIfAborted();
    await sleep(lookMs);
  }
}

/** As it was before the healing: the policy is gone, the program has its own GOGC again, and the container its first limit. */
export async function undo(cluster: ReachableCluster, healing: HealingCase): Promise<void> {
  const { name, env, memory } = healing;
  const inNamespace = namespaceOf(healing);
  await cluster.kubectl(['delete', `rgp/${name}`, inNamespace]);
  const pod = await podOf(cluster, healing);
  const resources = { requests: { memory }, limits: { memory } };
  const patch = `--patch=${JSON.stringify({ spec: { containers: [{ name: 'robot', resources }] } })}`;
  if (pod.limit !== memory)
    await cluster.kubectl(['patch', `pod/${pod.name}`, inNamespace, '--subresource=resize', patch]);
  const isBack = async (): Promise<boolean> =>
    (await gogcOf(cluster, healing, pod)) === Number(env.GOGC) &&
    (await podOf(cluster, healing)).limitInEffect === memory;
  await until(`${name} is as it was`, isBack, 60_000, 250);
}

/** Those of a policy of the same name that was deleted may still be there for a moment. */
async function incidentsOf(cluster: ReachableCluster, robot: Robot, policyUid: string): Promise<RobotGCIncident[]> {
  const { stdout } = await cluster.kubectl(['get', 'rgi', namespaceOf(robot), '--output=json']);
  const { items } = z.object({ items: z.array(RobotGCIncident) }).parse(JSON.parse(stdout));
  const own = items.filter(({ spec }) => spec.policy.uid === policyUid);
  return own.sort((a, b) => a.spec.trigger.detectedAt.localeCompare(b.spec.trigger.detectedAt));
}

export async function policyNow(cluster: ReachableCluster, robot: Robot): Promise<RobotGCPolicy> {
  const { stdout } = await cluster.kubectl(['get', `rgp/${robot.name}`, namespaceOf(robot), '--output=json']);
  return RobotGCPolicy.parse(JSON.parse(stdout));
}
