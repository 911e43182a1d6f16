/** The same cluster inside a virtual machine: with Debian's kernel and pure cgroup v2, whatever this machine has. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { KernelVersion } from '../vm/kernels.ts';
import { bootMachine, type CommandResult, type Machine, machineRecordSchema, openMachine } from '../vm/machine.ts';
import { machineAddress } from '../vm/qemu.ts';
import { type BinaryName, binaryNames, ensureBinaries } from './binaries.ts';
import { withServer } from './certificates.ts';
import type { ReachableCluster } from './cluster.ts';
import { ClusterError } from './errors.ts';
import { buildPauseImage } from './images.ts';
import { clusterEnv, kubectl } from './kubectl.ts';
import { takeLock } from './lock.ts';
import { networkOf } from './network.ts';
import { clustersRoot, repositoryDir } from './paths.ts';
import { freePorts } from './ports.ts';
import { waitUntil } from './processes.ts';
import { run } from './run.ts';
import { pathsOf } from './state.ts';
import { nodeNameOf } from './up.ts';

export interface VmClusterOptions {
  readonly name: string;
  readonly kernel: KernelVersion;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** `kubeconfigPath` leads to the machine's API server from here; `stateDir` is a directory of the machine. */
export interface VmCluster extends ReachableCluster {
  readonly machine: Machine;
}

const stateSchema = z.object({ machine: machineRecordSchema });
/** What a machine needs that a cluster runs in. */
const clusterMachine = { memoryMiB: 5120, processors: 1 };
const apiPort = 6443;
/** A cluster's own files must lie on a file system that can be an overlay's upper layer. */
const stateHome = '/vm/disk/state';
const startMs = 1_500_000;

const directoryOf = (name: string): string => `${pathsOf(name, join(clustersRoot(), '..', 'machines')).dir}`;

/**
 * Boots a machine and starts a cluster in it, or takes the one of this name that runs.
 * @throws VmError, ClusterError; nothing is left behind then
 */
export async function upVmCluster(options: VmClusterOptions): Promise<VmCluster> {
  const { name, kernel, onProgress, signal } = options;
  const directory = directoryOf(name);
  const kubeconfigPath = join(directory, 'kubeconfig');
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
    const forwards = await apiForward();
    const machine = await bootMachine({
      kernel,
      ...clusterMachine,
      forwards,
      directory: join(directory, 'machine'),
      dieWithParent: false,
      onProgress,
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      const cluster = await startInMachine(machine, { ...options, forwards, kubeconfigPath });
      await writeFile(join(directory, 'state.json.new'), JSON.stringify({ machine: machine.record }));
      await rename(join(directory, 'state.json.new'), join(directory, 'state.json'));
      return cluster;
    } catch (error) {
      await machine.stop();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
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
  return machine && clusterIn(machine, name, join(directory, 'kubeconfig'));
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
function inCluster(machine: Machine, command: readonly string[], timeoutMs: number): Promise<CommandResult> {
  return machine.run(command, { cwd: repositoryDir, env: clusterVariables(), timeoutMs });
}

/** The same caches as here; a state of its own. */
function clusterVariables(): Readonly<Record<string, string>> {
  const kept = ['PATH', 'XDG_CACHE_HOME', 'GOTOOLCHAIN', 'GOCACHE', 'GOPATH', 'GOFLAGS'];
  const env = kept.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key] ?? '']]));
  return { ...Object.fromEntries(env), HOME: homedir(), XDG_STATE_HOME: stateHome, ROBOTGC_CLUSTER_PATIENCE: '15' };
}

/** For a machine to be booted: a free port here that leads to the API server of a cluster in it. */
async function apiForward(): Promise<ReadonlyMap<number, number>> {
  const [port = 0] = await freePorts(1);
  return new Map([[port, apiPort]]);
}

interface StartInMachineOptions extends Omit<VmClusterOptions, 'kernel'> {
  /** What the machine was booted with. */
  readonly forwards: ReadonlyMap<number, number>;
  /** Written here. */
  readonly kubeconfigPath: string;
}

/** Starts a cluster in a machine that runs; its API server answers from here then. @throws ClusterError NOT_READY, COMMAND_FAILED */
async function startInMachine(machine: Machine, options: StartInMachineOptions): Promise<VmCluster> {
  const { name, onProgress, signal, kubeconfigPath } = options;
  const { code, stderr } = await clusterCommand(machine, ['up', '--name', name], startMs, signal);
  for (const line of stderr.trim().split('\n')) onProgress(`in the machine: ${line}`);
  if (code !== 0)
    throw new ClusterError('NOT_READY', `the cluster did not start in its machine:\n${stderr.slice(-2000)}`);
  const kubeconfig = await openWay(machine, name);
  const port = [...options.forwards].find(([, there]) => there === apiPort)?.[0];
  // Its certificate names 127.0.0.1 too.
  await writeFile(kubeconfigPath, withServer(kubeconfig, `https://127.0.0.1:${port}`), { mode: 0o600 });
  const cluster = clusterIn(machine, name, kubeconfigPath);
  await untilItAnswers(cluster, signal);
  return cluster;
}

/**
 * Once more where Node itself was ended by a signal, as its compiler's own checks do at times on emulated processors: what such a command
 * has left half done, the next one does anew.
 */
async function clusterCommand(
  machine: Machine,
  args: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<CommandResult> {
  const command = [process.execPath, 'test/cluster/main.ts', ...args];
  const options = {
    cwd: repositoryDir,
    env: clusterVariables(),
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  };
  const result = await machine.run(command, options);
  return result.code > 128 ? machine.run(command, options) : result;
}

/** From the machine's one address to the API server in the node's own network. @returns the kubeconfig for use in the machine */
async function openWay(machine: Machine, name: string): Promise<string> {
  // The first cluster of a machine has the first addresses.
  const { nodeIp, hostLink } = networkOf(0);
  const script = [
    `iptables -t nat -A PREROUTING -d ${machineAddress} -p tcp --dport ${apiPort} -j DNAT --to-destination ${nodeIp}`,
    `iptables -t nat -A POSTROUTING -o ${hostLink} -j MASQUERADE`,
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    `cat ${stateHome}/robotgc/clusters/${name}/kubeconfig`,
  ];
  const { code, stdout, stderr } = await inCluster(machine, ['sh', '-ec', script.join('\n')], 60_000);
  if (code === 0) return stdout;
  throw new ClusterError('COMMAND_FAILED', `the way to the machine's API server: ${stderr}`);
}

/** A way that leads nowhere must show here, not in whatever comes next. */
async function untilItAnswers(cluster: VmCluster, signal?: AbortSignal): Promise<void> {
  let words = '';
  const answers = () =>
    cluster.kubectl(['get', '--raw', '/readyz', '--request-timeout=30s']).then(
      () => true,
      (error: unknown) => {
        words = String(error);
        return false;
      },
    );
  if (await waitUntil(answers, 180_000, signal)) return;
  throw new ClusterError('NOT_READY', `the machine's API server does not answer from here: ${words}`);
}

function clusterIn(machine: Machine, name: string, kubeconfigPath: string): VmCluster {
  const binary = async (program: BinaryName) => (await ensureBinaries([program]))[program];
  return {
    machine,
    name,
    kubeconfigPath,
    nodeName: nodeNameOf(name),
    stateDir: `${stateHome}/robotgc/clusters/${name}`,
    importImage: async ({ tag, archive }) => {
      const { code, stderr } = await clusterCommand(machine, ['import', '--name', name, tag, archive], 300_000);
      if (code !== 0) throw new ClusterError('COMMAND_FAILED', `import of ${tag}: ${stderr}`);
    },
    kubectl: async (args, input) => kubectl(await binary('kubectl'), kubeconfigPath, args, input),
    program: async (program, args, input) =>
      run([await binary(program), ...args], {
        env: clusterEnv(kubeconfigPath),
        ...(input === undefined ? {} : { input }),
      }),
  };
}
