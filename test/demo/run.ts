/** The whole loop on a real cluster, told as it happens: from a policy in YAML to a healed pod. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RobotGCIncident, RobotGCPolicy } from '../../src/api/index.ts';
import { type Cluster, upCluster } from '../cluster/cluster.ts';
import { shellWord } from '../support/shell-word.ts';
import { type FetchedBundle, fetchBundle, verifyWithCommand } from './bundle.ts';
import { applyPolicy, deployRobot, importImages, installProduct, ROBOT_NAMESPACE, waitForProduct } from './deploy.ts';
import type { Display } from './display.ts';
import { describeOutcome, isOver, listIncidents, tellProgress } from './incident.ts';
import { agentPod, describeSignals, type LiveSignals, readSignals } from './signals.ts';

const LOOP_LIMIT_MS = 240_000;
const TICK_MS = 1000;

export interface DemoOptions {
  readonly clusterName: string;
  readonly display: Display;
  readonly signal: AbortSignal;
}

export interface Demo {
  readonly cluster: Cluster;
  readonly incident: RobotGCIncident;
  readonly bundle: FetchedBundle;
}

/** Starts the cluster and everything on it. The caller ends the cluster. */
export async function startDemo({ clusterName, display, signal }: DemoOptions): Promise<Cluster> {
  display.title('A real cluster: etcd, kube-apiserver, controller-manager, scheduler, kubelet, containerd');
  const cluster = await upCluster({ name: clusterName, onProgress: (line) => display.line(line), signal });
  await display.step('images of the robot and of robotgc', () => importImages(cluster));
  display.title('robotgc and the robot');
  await display.step('chart installed', () => installProduct(cluster));
  await display.step('robot with GOGC=10 runs', () => deployRobot(cluster));
  await display.step('operator and agent are ready', () => waitForProduct(cluster));
  return cluster;
}

/** Applies the policy and follows what comes of it. @throws when the loop does not end in a final phase in time */
export async function runLoop(cluster: Cluster, { display, signal }: DemoOptions): Promise<Demo> {
  display.title('The policy: P99 200 ms, GC may take 15 % of it and 5 % of the CPU');
  await applyPolicy(cluster);
  for (const line of await display.step('the agent attached its probe', () => watched(cluster, signal)))
    display.line(line);
  const incident = await follow(cluster, display, signal);

  display.title(`${incident.status.phase}`);
  for (const line of describeOutcome(incident)) display.line(line);

  display.title('What is left behind');
  display.line((await cluster.kubectl(['get', 'rgi', `--namespace=${ROBOT_NAMESPACE}`])).stdout);
  const { bundle: stored } = incident.status;
  if (!stored) throw new Error(`incident ${incident.metadata.name} ended as ${incident.status.phase} without a bundle`);
  const bundle = await fetchBundle(cluster, stored, join(cluster.stateDir, '..', '..', 'demo'));
  display.line(`bundle: ${bundle.file}`);
  display.line(`verify: npx robotgc bundle verify ${shellWord(bundle.file)} --key ${shellWord(bundle.keyFile)}`);
  display.line(await verifyWithCommand(bundle));
  return { cluster, incident, bundle };
}

/** What the policy's status says of its containers, once the agent has attached to one. */
async function watched(cluster: Cluster, signal: AbortSignal): Promise<string[]> {
  const get = ['get', 'rgp/dispatch', `--namespace=${ROBOT_NAMESPACE}`, '--output=json'];
  for (const deadlineMs = performance.now() + 60_000; performance.now() < deadlineMs; ) {
    const policy = RobotGCPolicy.parse(JSON.parse((await cluster.kubectl(get)).stdout));
    const containers = policy.status.containers?.filter(({ state }) => state === 'Watching') ?? [];
    if (containers.length > 0) {
      return containers.map(({ pod, container, goVersion }) => `watching ${pod}/${container}, ${goVersion}`);
    }
    await sleep(250, undefined, { signal });
  }
  throw new Error(
    'the agent watches no container; read its log with: kubectl --namespace robotgc logs daemonset/robotgc-agent',
  );
}

/** A busy machine may miss a reading; the loop goes on without the line. */
async function liveSignals(cluster: Cluster, agent: string, display: Display): Promise<LiveSignals[]> {
  try {
    return await readSignals(cluster, agent);
  } catch (error) {
    display.line(
      `no signals this second: ${error instanceof Error ? error.message.split('\n').at(-1) : String(error)}`,
    );
    return [];
  }
}

async function follow(cluster: Cluster, display: Display, signal: AbortSignal): Promise<RobotGCIncident> {
  const agent = await agentPod(cluster);
  const deadlineMs = performance.now() + LOOP_LIMIT_MS;
  let known: RobotGCIncident | undefined;
  while (performance.now() < deadlineMs) {
    const [signals, incidents] = await Promise.all([liveSignals(cluster, agent, display), listIncidents(cluster)]);
    for (const each of signals) display.line(describeSignals(each));
    const incident = incidents[0];
    if (incident) for (const line of tellProgress(incident, known)) display.line(`→ ${line}`);
    known = incident ?? known;
    if (known && isOver(known)) return known;
    await sleep(TICK_MS, undefined, { signal });
  }
  throw new Error(
    `the incident did not end within ${LOOP_LIMIT_MS / 1000} s; it is in phase ${known?.status.phase ?? 'none'}`,
  );
}
