import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BinaryName } from './binaries.ts';
import { cgroupRootOf } from './cgroups.ts';
import { cniConfig, containerdConfig } from './containerd.ts';
import { apiserverFlags, etcdFlags, etcdUrl } from './control-plane-flags.ts';
import { corefile } from './dns.ts';
import { kubeProxyConfig } from './kube-proxy.ts';
import { kubeletConfig } from './kubelet.ts';
import type { ClusterNetwork } from './network.ts';
import type { ClusterPki } from './pki.ts';
import type { ClusterPaths } from './state.ts';

/** The programs of a cluster. All listen inside the node's network namespace, so each uses its usual port. */
export const componentNames = [
  'etcd',
  'containerd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
] as const satisfies readonly BinaryName[];
export type ComponentName = (typeof componentNames)[number];

export interface ClusterPlan {
  readonly name: string;
  readonly nodeName: string;
  readonly network: ClusterNetwork;
  readonly paths: ClusterPaths;
  readonly pki: ClusterPki;
  readonly binaries: Readonly<Record<ComponentName, string>>;
}

/** Writes the configuration files and returns each program's command line. */
export async function configureComponents(plan: ClusterPlan): Promise<Record<ComponentName, readonly string[]>> {
  const { network, nodeName, paths, pki, binaries } = plan;
  const conf = (file: string) => join(paths.conf, file);
  const etcd = { dataDir: paths.etcd, address: '127.0.0.1', clientPort: 2379, peerPort: 2380 };
  const cniConfDir = conf('cni');
  await Promise.all([
    writeFile(
      conf('containerd.toml'),
      containerdConfig({ root: paths.containerd, cniConfDir, cniBinDir: '/usr/lib/cni' }),
    ),
    writeFile(join(cniConfDir, '10-robotgc.conflist'), cniConfig(network, join(paths.cni, 'networks'))),
    writeFile(conf('resolv.conf'), ''),
    writeFile(
      conf('kubelet.json'),
      kubeletConfig({
        network,
        authority: pki.authority,
        serving: pki.kubelet,
        cgroupRoot: cgroupRootOf(plan.name),
        resolvConf: conf('resolv.conf'),
        volumePluginDir: conf('volume-plugins'),
      }),
    ),
    writeFile(conf('Corefile'), corefile(network, pki.kubeconfigs.dns)),
    writeFile(conf('kube-proxy.json'), kubeProxyConfig(network, nodeName, pki.kubeconfigs.proxy)),
  ]);
  return {
    etcd: [binaries.etcd, ...etcdFlags(etcd)],
    containerd: [binaries.containerd, '--config', conf('containerd.toml')],
    'kube-apiserver': [
      binaries['kube-apiserver'],
      ...apiserverFlags({
        address: network.nodeIp,
        port: 6443,
        etcd: etcdUrl(etcd),
        authority: pki.authority,
        serving: pki.apiserver,
        serviceAccountKey: pki.serviceAccountKey,
        serviceCidr: network.serviceCidr,
        authorizationModes: ['Node', 'RBAC'],
        kubeletClient: pki.apiserverToKubelet,
        extra: [`--advertise-address=${network.nodeIp}`, '--enable-admission-plugins=NodeRestriction'],
      }),
    ],
    'kube-controller-manager': [
      binaries['kube-controller-manager'],
      `--kubeconfig=${pki.kubeconfigs.controllerManager}`,
      `--service-account-private-key-file=${pki.serviceAccountKey.privatePath}`,
      `--root-ca-file=${pki.authority.certPath}`,
      '--use-service-account-credentials=true',
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
    ],
    'kube-scheduler': [
      binaries['kube-scheduler'],
      `--kubeconfig=${pki.kubeconfigs.scheduler}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
    ],
    kubelet: [
      binaries.kubelet,
      `--config=${conf('kubelet.json')}`,
      `--kubeconfig=${pki.kubeconfigs.kubelet}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${network.nodeIp}`,
      `--cert-dir=${paths.pki}`,
    ],
    'kube-proxy': [binaries['kube-proxy'], `--config=${conf('kube-proxy.json')}`],
    coredns: [binaries.coredns, '-conf', conf('Corefile')],
  };
}
