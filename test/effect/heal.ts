/** A robot on a cluster is healed in its running pod: what is done to it, and what is seen of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isFinal, type LiveState, RobotGCIncident, RobotGCPolicy } from '../../src/api/index.ts';
import type { ReachableCluster } from '../cluster/cluster.ts';
import { ROBOT_NAMESPACE } from '../demo/deploy.ts';
import { until } from '../support/until.ts';
import { deploymentOf, type HealingCase, policyOf } from './robots.ts';

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
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

/** Detection, capture and comparison together take some 25 s. */
const healingLimitMs = 120_000;
const lookMs = 500;

const memory = z.object({ limits: z.object({ memory: z.string() }) });
const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({ containers: z.tuple([z.object({ resources: memory })]) }),
      status: z.object({
        containerStatuses: z.tuple([
          z.object({ restartCount: z.int(), containerID: z.string(), resources: memory.optional() }),
        ]),
      }),
    }),
  ),
});
const Runtime = z.object({ metrics: z.object({ '/gc/gogc:percent': z.int() }) });

const inNamespace = `--namespace=${ROBOT_NAMESPACE}`;

/** Resolves once it is ready. */
export async function deploy(cluster: ReachableCluster, healing: HealingCase): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(await deploymentOf(healing)));
  await cluster.kubectl(['rollout', 'status', `deployment/${healing.name}`, inNamespace, '--timeout=120s']);
}

/** The robot and its policy, with all their pods and incidents; does not wait for their end. */
export async function remove(cluster: ReachableCluster, { name }: Pick<HealingCase, 'name'>): Promise<void> {
  const args = ['--ignore-not-found', '--wait=false'];
  await cluster.kubectl(['delete', `rgp/${name}`, `deployment/${name}`, inNamespace, ...args]);
}

/** Its one pod. */
export async function podOf(cluster: ReachableCluster, app: string): Promise<PodFacts> {
  const { stdout } = await cluster.kubectl(['get', 'pods', inNamespace, `--selector=app=${app}`, '--output=json']);
  const pods = Pods.parse(JSON.parse(stdout)).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const [pod] = pods;
  if (!pod || pods.length > 1) throw new Error(`${app} has ${pods.length} pods, not one`);
  const [status] = pod.status.containerStatuses;
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    restarts: status.restartCount,
    containerId: status.containerID,
    limit: pod.spec.containers[0].resources.limits.memory,
    limitInEffect: status.resources?.limits.memory ?? '',
  };
}

/** GOGC as the program's own runtime/metrics tell it. */
export async function gogcOf(cluster: ReachableCluster, { name }: Pick<PodFacts, 'name'>): Promise<number> {
  const path = `/api/v1/namespaces/${ROBOT_NAMESPACE}/pods/${name}:8081/proxy/runtime`;
  const { stdout } = await cluster.kubectl(['get', '--raw', path]);
  return Runtime.parse(JSON.parse(stdout)).metrics['/gc/gogc:percent'];
}

/** Applies the policy, and waits until its first incident is over. @throws when none is in time */
export async function heal(cluster: ReachableCluster, healing: HealingCase): Promise<Healing> {
  const args = ['apply', '-f', '-', '--output=jsonpath={.metadata.uid}'];
  const { stdout: uid } = await cluster.kubectl(args, JSON.stringify(policyOf(healing)));
  const endMs = performance.now() + healingLimitMs;
  for (;;) {
    const incident = await incidentOf(cluster, uid.trim());
    const isOver = isFinal(incident?.status.phase);
    if (isOver || performance.now() > endMs) {
      const { containers } = (await policyNow(cluster, healing.name)).status;
      if (incident && isOver) return { incident, live: containers?.[0]?.live };
      const seen = JSON.stringify({ incident: incident?.status, containers });
      throw new Error(`${healing.name} was not healed within ${healingLimitMs / 1000} s: ${seen}`);
    }
    await sleep(lookMs);
  }
}

/** As it was before the healing: the policy is gone, the program has its own GOGC again, and the container its first limit. */
export async function undo(cluster: ReachableCluster, { name, env, memory }: HealingCase): Promise<void> {
  await cluster.kubectl(['delete', `rgp/${name}`, inNamespace]);
  const pod = await podOf(cluster, name);
  const resources = { requests: { memory }, limits: { memory } };
  const patch = `--patch=${JSON.stringify({ spec: { containers: [{ name: 'robot', resources }] } })}`;
  if (pod.limit !== memory)
    await cluster.kubectl(['patch', `pod/${pod.name}`, inNamespace, '--subresource=resize', patch]);
  const isBack = async (): Promise<boolean> =>
    (await gogcOf(cluster, pod)) === Number(env.GOGC) && (await podOf(cluster, name)).limitInEffect === memory;
  await until(`${name} is as it was`, isBack, 60_000, 250);
}

/** Those of a policy of the same name that was deleted may still be there for a moment. */
async function incidentOf(cluster: ReachableCluster, policyUid: string): Promise<RobotGCIncident | undefined> {
  const { stdout } = await cluster.kubectl(['get', 'rgi', inNamespace, '--output=json']);
  const { items } = z.object({ items: z.array(RobotGCIncident) }).parse(JSON.parse(stdout));
  return items.find(({ spec }) => spec.policy.uid === policyUid);
}

async function policyNow(cluster: ReachableCluster, name: string): Promise<RobotGCPolicy> {
  const { stdout } = await cluster.kubectl(['get', `rgp/${name}`, inNamespace, '--output=json']);
  return RobotGCPolicy.parse(JSON.parse(stdout));
}
