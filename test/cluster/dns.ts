import type { ClusterNetwork } from './network.ts';

/**
 * Cluster DNS: CoreDNS beside the other programs instead of in a pod, reached by pods through the usual service address.
 * It answers for the cluster's services and refuses every other name: there is nobody it could ask.
 */
export function corefile(network: ClusterNetwork, kubeconfig: string): string {
  return `.:53 {
  bind ${network.nodeIp}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${JSON.stringify(kubeconfig)}
    ttl 5
  }
  cache 5
}
`;
}

/** The service and its one endpoint, and what CoreDNS may read. */
export function dnsObjects(network: ClusterNetwork): readonly object[] {
  const name = 'kube-dns';
  const namespace = 'kube-system';
  const ports = (['UDP', 'TCP'] as const).map((protocol) => ({
    name: `dns-${protocol.toLowerCase()}`,
    port: 53,
    protocol,
  }));
  const reads = (apiGroup: string, ...resources: readonly string[]) => ({
    apiGroups: [apiGroup],
    resources,
    verbs: ['list', 'watch'],
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP: network.dnsServiceIp, ports },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [network.nodeIp] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'local-cluster-dns' },
      rules: [reads('', 'services', 'pods', 'namespaces', 'endpoints'), reads('discovery.k8s.io', 'endpointslices')],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'local-cluster-dns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'local-cluster-dns' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-dns' }],
    },
  ];
}
