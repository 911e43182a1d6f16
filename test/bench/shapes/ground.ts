/** A cluster with the product on it, and the robots of one shape for as long as that takes. */
import type { Transport } from '../../../src/kube/index.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { ROBOT_NAMESPACE } from '../../demo/deploy.ts';
import { policyNow } from '../../effect/heal.ts';
import { workloadOf } from '../../effect/robots.ts';
import { until } from '../../support/until.ts';
import { type Contender, isProduct, robotOf } from './candidates.ts';
import type { RobotShape } from './loads.ts';
import { RobotPods } from './pods.ts';
import { shapePolicy } from './policy.ts';

export interface Ground {
  readonly cluster: Cluster;
  readonly transport: Transport;
  readonly signal: AbortSignal;
}

export interface Runner {
  readonly contender: Contender;
  /** Of its Deployment, its policy and its label. */
  readonly name: string;
}

const inNamespace = `--namespace=${ROBOT_NAMESPACE}`;
/** For a dozen pods to come or go. */
const LIMIT_MS = 90_000;
const LOOK_MS = 250;

export async function onGround<T>(
  { cluster, transport, signal }: Ground,
  shape: RobotShape,
  contenders: readonly Contender[],
  use: (runners: readonly Runner[], pods: RobotPods) => Promise<T>,
): Promise<T> {
  const prefix = shape.name.replaceAll(/[^a-z]+/g, '-').replace(/-$/, '');
  const runners = contenders.map((contender): Runner => ({ contender, name: `${prefix}-${contender.id}` }));
  const pods = new RobotPods(transport, ROBOT_NAMESPACE);
  const followed = new AbortController();
  const following = pods.follow(AbortSignal.any([signal, followed.signal]));
  try {
    await deploy(cluster, shape, runners);
    // Some are killed at once by what they are set to.
    await within(signal, 'all robots have begun', () => runners.every(({ name }) => pods.hasBegun(name)));
    for (const { contender, name } of runners) if (isProduct(contender)) await watch(cluster, shape, name, signal);
    const result = await use(runners, pods);
    await remove(cluster, runners);
    await within(signal, 'all robots have ended', () => pods.count === 0);
    return result;
  } finally {
    followed.abort();
    await following;
  }
}

async function deploy(cluster: Cluster, shape: RobotShape, runners: readonly Runner[]): Promise<void> {
  const robots = await Promise.all(runners.map(({ contender, name }) => workloadOf(robotOf(contender, shape, name))));
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: robots }));
}

async function watch(cluster: Cluster, shape: RobotShape, name: string, signal: AbortSignal): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(shapePolicy(name, ROBOT_NAMESPACE, shape)));
  const isWatched = async () =>
    (await policyNow(cluster, { name })).status.containers?.some(({ state }) => state === 'Watching') ?? false;
  await within(signal, `the agent watches ${name}`, isWatched);
}

/** @throws when it does not come to be, or the signal's reason */
async function within(signal: AbortSignal, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const look = (): boolean | Promise<boolean> => {
    signal.throwIfAborted();
    return isSo();
  };
  await until(what, look, LIMIT_MS, LOOK_MS);
}

async function remove(cluster: Cluster, runners: readonly Runner[]): Promise<void> {
  const names = runners.map(({ name }) => `deployment/${name}`);
  const own = runners.filter(({ contender }) => isProduct(contender)).map(({ name }) => `rgp/${name}`);
  await cluster.kubectl(['delete', inNamespace, '--wait=false', ...names, ...own]);
}
