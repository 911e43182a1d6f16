import type { ClusterNetwork } from './network.ts';

export function kubeProxyConfig(network: ClusterNetwork, nodeName: string, kubeconfig: string): string {
  return `${JSON.stringify(
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      hostnameOverride: nodeName,
      clientConnection: { kubeconfig },
      clusterCIDR: network.podCidr,
      bindAddress: network.nodeIp,
      healthzBindAddress: '127.0.0.1:10256',
      metricsBindAddress: '127.0.0.1:10249',
      oomScoreAdj: 0,
      iptables: { localhostNodePorts: false, minSyncPeriod: '100ms' },
      // The size of the connection table belongs to the machine, not to this network namespace.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    },
    null,
    2,
  )}\n`;
}
