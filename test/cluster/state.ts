import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ClusterError } from './errors.ts';
import { clustersRoot } from './paths.ts';
import { processRecordSchema } from './processes.ts';

/** What is written down about a cluster while it is being started and while it runs: enough to end it from another process. */
export const clusterStateSchema = z.object({
  name: z.string(),
  index: z.number().int().min(0),
  phase: z.enum(['starting', 'up']),
  /** The first one holds the node's namespaces. */
  processes: z.array(processRecordSchema),
});
export type ClusterState = z.infer<typeof clusterStateSchema>;

export interface ClusterPaths {
  readonly dir: string;
  readonly stateFile: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly conf: string;
  readonly logs: string;
  readonly etcd: string;
  readonly containerd: string;
  readonly kubelet: string;
  /** /var/lib/cni inside the node. */
  readonly cni: string;
  /** /var/log inside the node. */
  readonly varLog: string;
  readonly volumes: string;
}

/** @throws ClusterError BAD_NAME: the name becomes part of a path, a cgroup and the node's name */
export function pathsOf(name: string, root = clustersRoot()): ClusterPaths {
  if (!/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name)) {
    throw new ClusterError(
      'BAD_NAME',
      `cluster name "${name}": use 1 to 20 of a-z, 0-9 and "-", with no "-" at either end`,
    );
  }
  const dir = join(root, name);
  return {
    dir,
    stateFile: join(dir, 'cluster.json'),
    kubeconfig: join(dir, 'kubeconfig'),
    pki: join(dir, 'pki'),
    conf: join(dir, 'conf'),
    logs: join(dir, 'logs'),
    etcd: join(dir, 'etcd'),
    containerd: join(dir, 'containerd'),
    kubelet: join(dir, 'kubelet'),
    cni: join(dir, 'cni'),
    varLog: join(dir, 'var-log'),
    volumes: join(dir, 'volumes'),
  };
}

export async function readState(paths: ClusterPaths): Promise<ClusterState | undefined> {
  if (!existsSync(paths.stateFile)) return undefined;
  const parsed = clusterStateSchema.safeParse(JSON.parse(await readFile(paths.stateFile, 'utf8')));
  return parsed.success ? parsed.data : undefined;
}

export async function writeState(paths: ClusterPaths, state: ClusterState): Promise<void> {
  await mkdir(paths.dir, { recursive: true });
  await writeFile(`${paths.stateFile}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${paths.stateFile}.new`, paths.stateFile);
}

/** States of all clusters of this user. */
export async function listStates(root = clustersRoot()): Promise<readonly ClusterState[]> {
  if (!existsSync(root)) return [];
  const entries = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const states = await Promise.all(entries.map((entry) => readState(pathsOf(entry.name, root))));
  return states.filter((state) => state !== undefined);
}
