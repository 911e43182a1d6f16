/** Puts the product and the robot on the cluster, as a platform team would: images, chart, manifests. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster, ReachableCluster } from '../cluster/cluster.ts';
import { buildGoImage, buildProductImage } from '../cluster/images.ts';
import { repositoryDir } from '../cluster/paths.ts';

export const PRODUCT_NAMESPACE = 'robotgc';
export const ROBOT_NAMESPACE = 'robots';

export async function importImages(cluster: Cluster): Promise<void> {
  await cluster.importImage(
    await buildGoImage({ dir: join(repositoryDir, 'test/robots'), pkg: './robot', name: 'robot' }),
  );
  await cluster.importImage(await buildProductImage());
}

/**
 * @param values further chart values, `key=value` as for `helm --set`
 * @param flags further flags of helm
 */
export async function installProduct(
  cluster: ReachableCluster,
  values: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<void> {
  await ensureNamespace(cluster, ROBOT_NAMESPACE);
  const settings = [
    'image.tag=local',
    'image.pullPolicy=Never',
    `agent.stateDir=${join(cluster.stateDir, 'agent')}`,
    // The robot's pprof listens on its pod's localhost only.
    `portForwardNamespaces={${ROBOT_NAMESPACE}}`,
    ...values,
  ].flatMap((value) => ['--set', value]);
  await cluster.program('helm', [
    'upgrade',
    '--install',
    'robotgc',
    join(repositoryDir, 'charts/robotgc'),
    `--namespace=${PRODUCT_NAMESPACE}`,
    '--create-namespace',
    ...flags,
    ...settings,
  ]);
}

export async function waitForProduct(cluster: ReachableCluster, timeoutMs = 120_000): Promise<void> {
  for (const workload of ['deployment/robotgc-operator', 'daemonset/robotgc-agent']) {
    const timeout = `--timeout=${timeoutMs}ms`;
    await cluster.kubectl(['rollout', 'status', workload, `--namespace=${PRODUCT_NAMESPACE}`, timeout]);
  }
}

export async function deployRobot(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], await manifest('robot.yaml'));
  await cluster.kubectl([
    'rollout',
    'status',
    'deployment/dispatch',
    `--namespace=${ROBOT_NAMESPACE}`,
    '--timeout=120s',
  ]);
}

export async function applyPolicy(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], await manifest('policy.yaml'));
}

async function manifest(name: string): Promise<string> {
  return readFile(join(repositoryDir, 'test/demo', name), 'utf8');
}

async function ensureNamespace(cluster: ReachableCluster, name: string): Promise<void> {
  await cluster.kubectl(
    ['apply', '--server-side', '--validate=ignore', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
  );
}
