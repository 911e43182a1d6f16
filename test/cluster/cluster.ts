import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type BinaryName, ensureBinaries } from './binaries.ts';
import type { ComponentName } from './components.ts';
import { removeCluster } from './down.ts';
import { ClusterError } from './errors.ts';
import type { BuiltImage } from './images.ts';
import { importArchive } from './import.ts';
import { downKind, openKind, upKind } from './kind.ts';
import { clusterEnv, kubectl } from './kubectl.ts';
import { takeLock } from './lock.ts';
import { type ClusterNetwork, networkOf } from './network.ts';
import { enter } from './node.ts';
import { isRunning } from './processes.ts';
import { restartComponent } from './restart.ts';
import { type RunResult, run } from './run.ts';
import { type ClusterPaths, type ClusterState, pathsOf, readState } from './state.ts';
import { createCluster, nodeNameOf } from './up.ts';

/** What can be done with a cluster of one node from outside of that node. */
export interface ReachableCluster {
  readonly name: string;
  readonly kubeconfigPath: string;
  readonly nodeName: string;
  readonly stateDir: string;
  /** Makes an image known to the node; a second time, with nothing changed, costs nothing. */
  importImage(image: BuiltImage): Promise<void>;
  /** @throws ClusterError COMMAND_FAILED with kubectl's words */
  kubectl(args: readonly string[], input?: string): Promise<RunResult>;
  /** Any other program with KUBECONFIG set, such as helm (built on the first use). */
  program(name: BinaryName, args: readonly string[], input?: string): Promise<RunResult>;
}

/** A running cluster of one node. */
export interface Cluster extends ReachableCluster {
  /** Runs a command inside the node's mount and network namespaces. */
  onNode(command: readonly string[]): Promise<RunResult>;
  /** Ends one program as a crash (`SIGKILL`) or an upgrade (`SIGTERM`) would, and starts it again. */
  restart(component: ComponentName, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  down(): Promise<void>;
}

/** A cluster made of programs on this machine, the default; the other kind is kind's. */
export interface LocalCluster extends Cluster {
  readonly network: ClusterNetwork;
}

export interface UpClusterOptions {
  /** Default `default`. */
  readonly name?: string;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export const defaultName = 'default';

const usesKind = () => process.env.CLUSTER === 'kind';

/**
 * Starts a cluster of the sort that the environment variable CLUSTER names: `kind`, or else a local one.
 * @throws ClusterError see `upLocalCluster`
 */
export async function upCluster(options: UpClusterOptions = {}): Promise<Cluster> {
  if (!usesKind()) return upLocalCluster(options);
  return upKind(options.name ?? defaultName, options.onProgress ?? (() => {}), options.signal);
}

/** The running cluster of this name. @throws ClusterError NOT_UP */
export async function openCluster(name = defaultName): Promise<Cluster> {
  return usesKind() ? openKind(name) : openLocalCluster(name);
}

/** Ends the cluster and removes its traces; does nothing when there is none. @throws ClusterError NOT_ROOT */
export async function downCluster(name = defaultName, onProgress: (line: string) => void = () => {}): Promise<void> {
  if (usesKind()) return downKind(name);
  const paths = pathsOf(name);
  requireRoot();
  const lock = await lockCluster(paths, onProgress);
  try {
    await removeCluster(name, paths);
  } finally {
    lock.release();
  }
}

/**
 * Starts the cluster, or takes the one of this name that already runs whole; leftovers of a killed one are removed first.
 * @throws ClusterError NOT_ROOT, BUILD_FAILED, NO_FREE_INDEX, NOT_READY, PROCESS_ENDED; nothing is left behind then
 */
export async function upLocalCluster(options: UpClusterOptions = {}): Promise<LocalCluster> {
  const name = options.name ?? defaultName;
  const onProgress = options.onProgress ?? (() => {});
  const paths = pathsOf(name);
  requireRoot();
  const lock = await lockCluster(paths, onProgress, options.signal);
  try {
    if (isWhole(await readState(paths))) {
      onProgress(`cluster "${name}" is already up`);
    } else {
      await createCluster(paths, { ...options, name, onProgress });
    }
  } finally {
    lock.release();
  }
  return openLocalCluster(name);
}

async function openLocalCluster(name: string): Promise<LocalCluster> {
  const paths = pathsOf(name);
  const state = await readState(paths);
  if (state === undefined || !isWhole(state)) {
    throw new ClusterError('NOT_UP', `cluster "${name}" is not up: run "npm run cluster -- up --name ${name}"`);
  }
  const holder = state.processes[0];
  if (holder === undefined) throw new ClusterError('NOT_UP', `cluster "${name}" has no node`);
  const binaries = await ensureBinaries(['kubectl', 'ctr']);
  return {
    name,
    kubeconfigPath: paths.kubeconfig,
    nodeName: nodeNameOf(name),
    stateDir: paths.dir,
    network: networkOf(state.index),
    importImage: async (image) => {
      const marker = join(paths.conf, 'imported', encodeURIComponent(image.tag));
      const wanted = basename(image.archive);
      if (existsSync(marker) && (await readFile(marker, 'utf8')) === wanted) return;
      await importArchive(holder, binaries.ctr, image.archive);
      await mkdir(dirname(marker), { recursive: true });
      await writeFile(marker, wanted);
    },
    kubectl: (args, input) => kubectl(binaries.kubectl, paths.kubeconfig, args, input),
    program: async (program, args, input) => {
      const path = (await ensureBinaries([program]))[program];
      return run([path, ...args], { env: clusterEnv(paths.kubeconfig), ...(input === undefined ? {} : { input }) });
    },
    onNode: (command) => run(enter(holder, command)),
    restart: (component, signal) => restartComponent(name, paths, component, signal),
    down: () => downCluster(name),
  };
}

/** Up, and every program of it still runs. */
export function isWhole(state: ClusterState | undefined): boolean {
  return state?.phase === 'up' && state.processes.every(isRunning);
}

function lockCluster(paths: ClusterPaths, onProgress: (line: string) => void, signal?: AbortSignal) {
  const told = (pid: number) => onProgress(`waiting: process ${pid} is starting or ending this cluster`);
  return takeLock(`${paths.dir}.lock`, told, signal);
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new ClusterError('NOT_ROOT', 'the local cluster makes namespaces, cgroups and mounts: run it as root');
}
