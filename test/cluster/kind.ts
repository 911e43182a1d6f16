import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { ensureBinaries } from './binaries.ts';
import type { Cluster } from './cluster.ts';
import { ClusterError } from './errors.ts';
import { clusterEnv, kubectl } from './kubectl.ts';
import { run } from './run.ts';
import { pathsOf } from './state.ts';

/**
 * The same cluster interface over kind (Kubernetes in Docker), chosen by CLUSTER=kind, for machines with a Docker engine.
 * Images are loaded from the same archives. The commands `kind` and `docker` have to be installed.
 */
export async function upKind(name: string, onProgress: (line: string) => void, signal?: AbortSignal): Promise<Cluster> {
  const paths = pathsOf(name);
  const stop = signal === undefined ? {} : { signal };
  if ((await kindClusters()).includes(name) && existsSync(paths.kubeconfig)) {
    onProgress(`kind cluster "${name}" is already up`);
    return openKind(name);
  }
  onProgress(`kind cluster "${name}": creating it (kind fetches its node image on the first use)`);
  await mkdir(paths.dir, { recursive: true });
  await run(['kind', 'create', 'cluster', '--name', name, '--kubeconfig', paths.kubeconfig, '--wait', '120s'], stop);
  return openKind(name);
}

export async function openKind(name: string): Promise<Cluster> {
  const paths = pathsOf(name);
  if (!existsSync(paths.kubeconfig)) {
    throw new ClusterError(
      'NOT_UP',
      `kind cluster "${name}" is not up: run "CLUSTER=kind npm run cluster -- up --name ${name}"`,
    );
  }
  const { kubectl: path } = await ensureBinaries(['kubectl']);
  const node = `${name}-control-plane`;
  return {
    name,
    kubeconfigPath: paths.kubeconfig,
    nodeName: node,
    stateDir: paths.dir,
    importImage: async (image) => {
      await run(['kind', 'load', 'image-archive', image.archive, '--name', name]);
    },
    kubectl: (args, input) => kubectl(path, paths.kubeconfig, args, input),
    program: async (program, args, input) => {
      const binaries = await ensureBinaries([program]);
      const options = { env: clusterEnv(paths.kubeconfig), ...(input === undefined ? {} : { input }) };
      return run([binaries[program], ...args], options);
    },
    onNode: (command) => run(['docker', 'exec', node, ...command]),
    // The kubelet runs these as static pods and starts them again by itself.
    restart: async (component, stopSignal = 'SIGTERM') => {
      await run(['docker', 'exec', node, 'pkill', `-${stopSignal.slice(3)}`, '-x', component]);
    },
    down: () => downKind(name),
  };
}

export async function downKind(name: string): Promise<void> {
  await run(['kind', 'delete', 'cluster', '--name', name]);
  await rm(pathsOf(name).dir, { recursive: true, force: true });
}

export async function kindClusters(): Promise<readonly string[]> {
  return (await run(['kind', 'get', 'clusters'])).stdout.split('\n').filter(Boolean);
}
