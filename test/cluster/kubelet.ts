import type { Authority, KeyPair } from './certificates.ts';
import { containerdSocket } from './containerd.ts';
import type { ClusterNetwork } from './network.ts';

export interface KubeletSettings {
  readonly network: ClusterNetwork;
  readonly authority: Authority;
  readonly serving: KeyPair;
  readonly cgroupRoot: string;
  readonly resolvConf: string;
  readonly volumePluginDir: string;
}

/** JSON is YAML, and needs no library to write. */
export function kubeletConfig(settings: KubeletSettings): string {
  return `${JSON.stringify(
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: settings.network.nodeIp,
      healthzBindAddress: '127.0.0.1',
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: settings.authority.certPath },
      },
      authorization: { mode: 'Webhook' },
      tlsCertFile: settings.serving.certPath,
      tlsPrivateKeyFile: settings.serving.keyPath,
      containerRuntimeEndpoint: `unix://${containerdSocket}`,
      clusterDNS: [settings.network.dnsServiceIp],
      clusterDomain: 'cluster.local',
      // The machine's own resolver is of no use to a pod that cannot leave it.
      resolvConf: settings.resolvConf,
      volumePluginDir: settings.volumePluginDir,
      cgroupDriver: 'cgroupfs',
      cgroupRoot: settings.cgroupRoot,
      // cgroup v1 and hybrid machines are refused by default.
      failCgroupV1: false,
      failSwapOn: false,
      // The groups above ours are the machine's; no limit of ours goes there.
      enforceNodeAllocatable: [],
      makeIPTablesUtilChains: false,
      // Images are imported, not pulled: one that was collected would never come back.
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      syncFrequency: '10s',
      serializeImagePulls: false,
      oomScoreAdj: 0,
    },
    null,
    2,
  )}\n`;
}
