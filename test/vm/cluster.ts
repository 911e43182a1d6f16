/**
 * A cluster whose one node is a machine: containerd and a kubelet in it, the API server on this host. On an emulated processor an API server takes
 * minutes to start, and then answers later than the product waits for it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureBinaries } from '../cluster/binaries.ts';
import { issue, renderKubeconfig, withServer } from '../cluster/certificates.ts';
import { cniConfig, containerdConfig, containerdSocket } from '../cluster/containerd.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import type { BuiltImage } from '../cluster/images.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { kubeletConfig } from '../cluster/kubelet.ts';
import { networkOf } from '../cluster/network.ts';
import { daemonEnv } from '../cluster/node.ts';
import { waitUntil } from '../cluster/processes.ts';
import type { RunResult } from '../cluster/run.ts';
import type { KernelVersion } from './kernels.ts';
import { bootMachine, type Machine } from './machine.ts';
import { hostAddress, machineAddress } from './qemu.ts';

/** There are no controllers, no scheduler, no proxy and no DNS: pods name their node, and get no service account's token. */
export interface MachineCluster extends AsyncDisposable {
  readonly machine: Machine;
  readonly nodeName: string;
  /** The admin's, for use in the machine. */
  readonly kubeconfigPath: string;
  /** In the machine; each pod has one below it. */
  readonly podsCgroup: string;
  /** From here. @throws ClusterError COMMAND_FAILED with kubectl's words */
  kubectl(args: readonly string[], input?: string): Promise<RunResult>;
}

const apiPort = 6443;
const server = `https://${hostAddress}:${apiPort}`;
const nodeName = 'vm';
/** Of the machine, on its disk itself: layers of images cannot lie on an overlay. */
const state = '/vm/disk/node';
/** The node is the machine itself; its pods have the addresses of any first cluster. */
const network = { ...networkOf(0), nodeIp: machineAddress };

/** Returns when the node is ready for pods of these images. */
export async function bootCluster(kernel: KernelVersion, images: readonly BuiltImage[]): Promise<MachineCluster> {
  await using started = new AsyncDisposableStack();
  const plane = started.adopt(await startControlPlane({ addresses: [hostAddress] }), (each) => each.stop());
  const folder = started.adopt(await mkdtemp(join(tmpdir(), 'robotgc-vm-cluster-')), (each) =>
    rm(each, { recursive: true, force: true }),
  );
  const kubeconfigPath = join(folder, 'kubeconfig');
  await writeFile(kubeconfigPath, withServer(await readFile(plane.kubeconfigPath, 'utf8'), server));
  const programs = await ensureBinaries(['containerd', 'kubelet', 'ctr', 'kubectl']);
  const node = await configureNode(plane, folder, programs);
  const ways = new Map([[apiPort, plane.apiserver.port]]);
  const machine = started.use(await bootMachine({ kernel, processors: 1, ways }));

  const prepare = [
    'mount --make-rshared /',
    // There is no way out; this makes a program that tries learn so at once.
    'ip route add unreachable default',
    `mkdir ${state}`,
  ];
  await succeed(machine, prepare.join('\n'));
  const { PATH = '', HOME = '' } = daemonEnv([dirname(programs.containerd)]);
  await machine.start(node.containerd, { env: { PATH, HOME } });
  const kubelet = await machine.start(node.kubelet, { env: { PATH, HOME } });
  const ctr = `${programs.ctr} -a ${containerdSocket} -n k8s.io images import --local`;
  const imports = images.map(({ archive }) => `${ctr} ${archive}`);
  await succeed(machine, [`until [ -S ${containerdSocket} ]; do sleep 0.1; done`, ...imports].join('\n'));

  const asAdmin = (args: readonly string[], input?: string) =>
    kubectl(programs.kubectl, plane.kubeconfigPath, args, input);
  const condition = '{.status.conditions[?(@.type=="Ready")].status}';
  const status = () => asAdmin(['get', 'node', nodeName, '--ignore-not-found', `--output=jsonpath=${condition}`]);
  if (!(await waitUntil(async () => (await status()).stdout === 'True', 300_000)))
    throw new Error(`the node in the machine is not ready: ${(await kubelet.stderr()).slice(-4000)}`);

  const running = started.move();
  return {
    machine,
    nodeName,
    kubeconfigPath,
    podsCgroup: '/sys/fs/cgroup/kubepods',
    kubectl: asAdmin,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Writes the node's files, which the machine sees at the same paths. @returns the command lines of its programs */
async function configureNode(
  { authority }: ControlPlane,
  folder: string,
  programs: Readonly<Record<'containerd' | 'kubelet', string>>,
): Promise<Record<'containerd' | 'kubelet', readonly string[]>> {
  const file = (...names: string[]) => join(folder, ...names);
  const serving = await issue(authority, {
    name: 'kubelet',
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    altNames: [`IP:${network.nodeIp}`, `DNS:${nodeName}`],
  });
  await mkdir(file('cni'));
  const containerd = { root: `${state}/containerd`, cniConfDir: file('cni'), cniBinDir: '/usr/lib/cni' };
  const kubelet = {
    network,
    authority,
    serving,
    cgroupRoot: '/',
    resolvConf: file('resolv.conf'),
    volumePluginDir: `${state}/volume-plugins`,
  };
  await Promise.all([
    writeFile(file('resolv.conf'), ''),
    writeFile(file('cni', '10-robotgc.conflist'), cniConfig(network, `${state}/cni`)),
    writeFile(file('containerd.toml'), containerdConfig(containerd)),
    writeFile(file('kubelet.json'), kubeletConfig(kubelet)),
    writeFile(file('kubelet.kubeconfig'), await renderKubeconfig(server, authority, serving)),
  ]);
  return {
    containerd: [programs.containerd, '--config', file('containerd.toml')],
    kubelet: [
      ...[programs.kubelet, `--config=${file('kubelet.json')}`, `--kubeconfig=${file('kubelet.kubeconfig')}`],
      ...[`--hostname-override=${nodeName}`, `--node-ip=${network.nodeIp}`],
      ...[`--root-dir=${state}/kubelet`, `--cert-dir=${state}/pki`],
    ],
  };
}

/** A busy machine may take minutes to start a program, which is seconds elsewhere. */
async function succeed(machine: Machine, script: string): Promise<void> {
  const { code, stderr } = await machine.run(['sh', '-ec', script], { timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`in the machine: ${stderr}`);
}
