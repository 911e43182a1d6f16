/** The same cluster inside a virtual machine: with Debian's kernel and pure cgroup v2, whatever this machine has. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { KernelVersion } from '../vm/kernels.ts';
import { bootMachine, type CommandResult, type Machine, machineRecordSchema, openMachine } from '../vm/machine.ts';
import { binaryNames, ensureBinaries } from './binaries.ts';
import { ClusterError } from './errors.ts';
import { buildPauseImage } from './images.ts';
import { takeLock } from './lock.ts';
import { networkOf } from './network.ts';
import { clustersRoot, repositoryDir } from './paths.ts';
import { freePorts } from './ports.ts';
import { pathsOf } from './state.ts';

export interface VmClusterOptions {
  readonly name: string;
  readonly kernel: KernelVersion;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface VmCluster {
  readonly machine: Machine;
  /** Leads to the machine's API server from here. */
  readonly kubeconfigPath: string;
}

const stateSchema = z.object({ machine: machineRecordSchema });
const memoryMiB = 5120;
/** Of the machine, on the one address that qemu's network gives it. */
const machineAddress = '10.0.2.15';
/** A cluster's own files must lie on a file system that can be an overlay's upper layer. */
const stateHome = '/vm/disk/state';
const bootAndStartMs = 600_000;

const directoryOf = (name: string): string => `${pathsOf(name, join(clustersRoot(), '..', 'machines')).dir}`;

/**
 * Boots a machine and starts a cluster in it, or takes the one of this name that runs.
 * @throws VmError, ClusterError; nothing is left behind then
 */
export async function upVmCluster(options: VmClusterOptions): Promise<VmCluster> {
  const { name, kernel, onProgress, signal } = options;
  const directory = directoryOf(name);
  const told = (pid: number) => onProgress(`waiting: process ${pid} is starting or ending this cluster`);
  const lock = await takeLock(`${directory}.lock`, told, signal);
  try {
    const running = await openVmCluster(name);
    if (running !== undefined) {
      onProgress(`cluster "${name}" is already up in its machine`);
      return running;
    }
    await rm(directory, { recursive: true, force: true });
    await ensureBinaries(binaryNames, options);
    await buildPauseImage(options);
    await mkdir(directory, { recursive: true });
    const [port = 0] = await freePorts(1);
    const machine = await bootMachine({
      kernel,
      memoryMiB,
      forwards: new Map([[port, 6443]]),
      directory: join(directory, 'machine'),
      dieWithParent: false,
      onProgress,
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      await startCluster(machine, options, port);
      await writeFile(join(directory, 'state.json.new'), JSON.stringify({ machine: machine.record }));
      await rename(join(directory, 'state.json.new'), join(directory, 'state.json'));
    } catch (error) {
      await machine.stop();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
    return { machine, kubeconfigPath: join(directory, 'kubeconfig') };
  } finally {
    lock.release();
  }
}

/** The running one of this name. */
export async function openVmCluster(name: string): Promise<VmCluster | undefined> {
  const directory = directoryOf(name);
  const file = join(directory, 'state.json');
  if (!existsSync(file)) return undefined;
  const { machine: record } = stateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const machine = openMachine(record);
  return machine && { machine, kubeconfigPath: join(directory, 'kubeconfig') };
}

/** Ends the machine and all in it; does nothing when there is none. */
export async function downVmCluster(name: string): Promise<void> {
  const directory = directoryOf(name);
  const lock = await takeLock(`${directory}.lock`, () => {});
  try {
    await (await openVmCluster(name))?.machine.stop();
    await rm(directory, { recursive: true, force: true });
  } finally {
    lock.release();
  }
}

/** Runs a command in the machine with the environment that the cluster's programs and tests have here. */
export function inCluster(machine: Machine, command: readonly string[], timeoutMs: number): Promise<CommandResult> {
  return machine.run(command, { cwd: repositoryDir, env: clusterVariables(), timeoutMs });
}

/** The same caches as here; a state of its own. */
export function clusterVariables(): Readonly<Record<string, string>> {
  const kept = ['PATH', 'XDG_CACHE_HOME', 'GOTOOLCHAIN', 'GOCACHE', 'GOPATH', 'GOFLAGS'];
  const env = kept.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key] ?? '']]));
  return { ...Object.fromEntries(env), HOME: homedir(), XDG_STATE_HOME: stateHome, ROBOTGC_CLUSTER_PATIENCE: '6' };
}

async function startCluster(machine: Machine, options: VmClusterOptions, port: number): Promise<void> {
  const { name, onProgress, signal } = options;
  const up = await machine.start([process.execPath, 'test/cluster/main.ts', 'up', '--name', name], {
    cwd: repositoryDir,
    env: clusterVariables(),
  });
  const { code, stderr } = await up.ended(bootAndStartMs, signal);
  for (const line of stderr.trim().split('\n')) onProgress(`in the machine: ${line}`);
  if (code !== 0)
    throw new ClusterError('NOT_READY', `the cluster did not start in its machine:\n${stderr.slice(-2000)}`);
  // The first cluster of a machine has the first addresses.
  const { nodeIp, hostLink } = networkOf(0);
  const forward = [
    `iptables -t nat -A PREROUTING -d ${machineAddress} -p tcp --dport 6443 -j DNAT --to-destination ${nodeIp}`,
    `iptables -t nat -A POSTROUTING -o ${hostLink} -j MASQUERADE`,
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    `cat ${stateHome}/robotgc/clusters/${name}/kubeconfig`,
  ];
  const { code: failed, stdout, stderr: why } = await inCluster(machine, ['sh', '-ec', forward.join('\n')], 60_000);
  if (failed !== 0) throw new ClusterError('COMMAND_FAILED', `the way to the machine's API server: ${why}`);
  // Its certificate names 127.0.0.1 too.
  const kubeconfig = stdout.replace(/server: \S+/, `server: https://127.0.0.1:${port}`);
  await writeFile(join(directoryOf(name), 'kubeconfig'), kubeconfig, { mode: 0o600 });
}
