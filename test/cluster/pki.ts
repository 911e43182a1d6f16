import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  createAuthority,
  createServiceAccountKey,
  issue,
  type KeyPair,
  renderKubeconfig,
} from './certificates.ts';
import type { ClusterNetwork } from './network.ts';
import type { ClusterPaths } from './state.ts';

/** Every certificate and kubeconfig of a cluster. */
export interface ClusterPki {
  readonly authority: Authority;
  readonly serviceAccountKey: { readonly privatePath: string; readonly publicPath: string };
  readonly apiserver: KeyPair;
  readonly apiserverToKubelet: KeyPair;
  readonly kubelet: KeyPair;
  readonly admin: KeyPair;
  readonly kubeconfigs: Readonly<Record<'kubelet' | 'controllerManager' | 'scheduler' | 'proxy' | 'dns', string>>;
}

export function serverOf(network: ClusterNetwork): string {
  return `https://${network.nodeIp}:6443`;
}

export async function createPki(paths: ClusterPaths, network: ClusterNetwork, nodeName: string): Promise<ClusterPki> {
  const authority = await createAuthority(paths.pki);
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const [apiserver, apiserverToKubelet, kubelet, admin, controllerManager, scheduler, proxy, dns, serviceAccountKey] =
    await Promise.all([
      issue(authority, {
        name: 'apiserver',
        altNames: [network.nodeIp, network.apiServiceIp, '127.0.0.1']
          .map((ip) => `IP:${ip}`)
          .concat(names.map((name) => `DNS:${name}`)),
      }),
      issue(authority, { name: 'apiserver-kubelet', organizations: ['system:masters'] }),
      issue(authority, {
        name: 'kubelet',
        commonName: `system:node:${nodeName}`,
        organizations: ['system:nodes'],
        altNames: [`IP:${network.nodeIp}`, `DNS:${nodeName}`],
      }),
      issue(authority, { name: 'admin', organizations: ['system:masters'] }),
      issue(authority, { name: 'controller-manager', commonName: 'system:kube-controller-manager' }),
      issue(authority, { name: 'scheduler', commonName: 'system:kube-scheduler' }),
      issue(authority, { name: 'proxy', commonName: 'system:kube-proxy' }),
      issue(authority, { name: 'dns', commonName: 'system:kube-dns', organizations: ['system:kube-dns'] }),
      createServiceAccountKey(paths.pki),
    ]);
  const write = async (path: string, client: KeyPair): Promise<string> => {
    await writeFile(path, await renderKubeconfig(serverOf(network), authority, client), { mode: 0o600 });
    return path;
  };
  await write(paths.kubeconfig, admin);
  return {
    authority,
    serviceAccountKey,
    apiserver,
    apiserverToKubelet,
    kubelet,
    admin,
    kubeconfigs: {
      kubelet: await write(join(paths.conf, 'kubelet.kubeconfig'), kubelet),
      controllerManager: await write(join(paths.conf, 'controller-manager.kubeconfig'), controllerManager),
      scheduler: await write(join(paths.conf, 'scheduler.kubeconfig'), scheduler),
      proxy: await write(join(paths.conf, 'proxy.kubeconfig'), proxy),
      dns: await write(join(paths.conf, 'dns.kubeconfig'), dns),
    },
  };
}
