import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { createCgroups } from './cgroups.ts';
import { claimNetwork } from './claim.ts';
import { type ComponentName, componentNames, configureComponents } from './components.ts';
import { dnsObjects } from './dns.ts';
import { removeCluster } from './down.ts';
import { ClusterError } from './errors.ts';
import { buildPauseImage } from './images.ts';
import { importArchive } from './import.ts';
import { kubectl } from './kubectl.ts';
import { connectNode, daemonEnv, enter, inCgroups, startNode } from './node.ts';
import { patient } from './patience.ts';
import { createPki, serverOf } from './pki.ts';
import { assertRunning, type ProcessRecord, startDaemon, waitUntil } from './processes.ts';
import { waitForApiserver } from './ready.ts';
import { type ClusterPaths, writeState } from './state.ts';
import { createVolumes } from './storage.ts';

export interface UpOptions {
  readonly name: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

export function nodeNameOf(clusterName: string): string {
  return `robotgc-${clusterName}`;
}

/** Starts the cluster, from nothing to a node that is ready for pods. Whatever goes wrong, nothing is left behind. */
export async function createCluster(paths: ClusterPaths, options: UpOptions): Promise<void> {
  const { name, signal } = options;
  const step = stepper(options);
  const ensured = await step('programs', () => ensureBinaries([...componentNames, 'ctr', 'kubectl'], options));
  const pause = await step('pause image', () => buildPauseImage(options));
  await removeCluster(name, paths);
  try {
    const network = await claimNetwork(name, paths, signal);
    const dirs = [paths.pki, join(paths.conf, 'cni'), paths.logs, paths.etcd, paths.containerd];
    for (const dir of dirs) await mkdir(dir, { recursive: true });
    const nodeName = nodeNameOf(name);
    const processes: ProcessRecord[] = [];
    const remember = async (record: ProcessRecord, phase: 'starting' | 'up' = 'starting') => {
      processes.push(record);
      await writeState(paths, { name, index: network.index, phase, processes });
      return record;
    };

    const { holder, cgroupFiles, commands, pki } = await step(
      'namespaces, certificates and configuration',
      async () => {
        const cgroupFiles = await createCgroups(name);
        const holder = await remember(await startNode(paths, cgroupFiles));
        await connectNode(holder, network);
        const pki = await createPki(paths, network, nodeName);
        const commands = await configureComponents({ name, nodeName, network, paths, pki, binaries: ensured });
        return { holder, cgroupFiles, commands, pki };
      },
    );
    const start = async (component: ComponentName) =>
      remember(
        await startDaemon({
          name: component,
          command: inCgroups(cgroupFiles, enter(holder, commands[component])),
          logPath: join(paths.logs, `${component}.log`),
          env: daemonEnv([dirname(ensured.containerd)]),
        }),
      );

    await step('etcd, containerd and API server', async () => {
      await start('etcd');
      await start('containerd');
      const apiserver = await start('kube-apiserver');
      await waitForApiserver({
        url: serverOf(network),
        authority: pki.authority,
        admin: pki.admin,
        processes: [apiserver],
        ...(signal === undefined ? {} : { signal }),
      });
    });
    await step('kubelet', async () => {
      await start('kubelet');
      await importArchive(holder, ensured.ctr, pause.archive, signal);
    });
    await step('controllers, scheduler, proxy, DNS', async () => {
      for (const component of ['kube-controller-manager', 'kube-scheduler', 'kube-proxy'] as const) {
        await start(component);
      }
      const items = [...dnsObjects(network), ...(await createVolumes(paths.volumes))];
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      // Nothing of these is there yet, and what describes all kinds takes a slow machine longer than kubectl waits.
      await kubectl(ensured.kubectl, paths.kubeconfig, ['create', '--validate=ignore', '-f', '-'], list, signal);
      await start('coredns'); // now it may read what it serves
    });
    await step('node ready', () => waitForNode(paths, ensured.kubectl, { nodeName, processes }, signal));
    await writeState(paths, { name, index: network.index, phase: 'up', processes });
  } catch (error) {
    if (process.env.ROBOTGC_KEEP_FAILED !== '1') await removeCluster(name, paths);
    throw error;
  }
}

/** Ready, not tainted any more (a controller sees to that), and the namespace has the service account that pods need. */
async function waitForNode(
  paths: ClusterPaths,
  kubectlPath: string,
  node: { readonly nodeName: string; readonly processes: readonly ProcessRecord[] },
  signal?: AbortSignal,
): Promise<void> {
  const { nodeName, processes } = node;
  const get = async (...args: string[]) =>
    (await kubectl(kubectlPath, paths.kubeconfig, ['get', ...args], undefined, signal).catch(() => undefined))?.stdout;
  const ok = await waitUntil(
    async () => {
      processes.forEach(assertRunning);
      const ready = '{.status.conditions[?(@.type=="Ready")].status}';
      const said = await get('node', nodeName, '-o', `jsonpath=${ready} {.spec.taints}`);
      return said?.trim() === 'True' && (await get('serviceaccount', 'default')) !== undefined;
    },
    patient(90_000),
    signal,
  );
  if (!ok) throw new ClusterError('NOT_READY', `node ${nodeName} was not ready in time; logs: ${paths.logs}`);
}

/** Runs a step, and says afterwards how long it took. */
function stepper(options: UpOptions): <T>(what: string, work: () => Promise<T>) => Promise<T> {
  return async (what, work) => {
    options.signal?.throwIfAborted();
    const startedMs = performance.now();
    const result = await work();
    options.onProgress(`${what}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    return result;
  };
}
