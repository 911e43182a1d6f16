import type { Authority, KeyPair } from './certificates.ts';

/** Command lines of etcd and kube-apiserver, the same for the bare control plane and for the whole cluster. */
export interface EtcdSettings {
  readonly dataDir: string;
  readonly address: string;
  readonly clientPort: number;
  readonly peerPort: number;
}

export function etcdUrl(settings: EtcdSettings): string {
  return `http://${settings.address}:${settings.clientPort}`;
}

export function etcdFlags(settings: EtcdSettings): readonly string[] {
  const peer = `http://${settings.address}:${settings.peerPort}`;
  return [
    '--name=local',
    `--data-dir=${settings.dataDir}`,
    `--listen-client-urls=${etcdUrl(settings)}`,
    `--advertise-client-urls=${etcdUrl(settings)}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=local=${peer}`,
    // The data lives as long as the tests: surviving a power cut is not worth a disk flush per write.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export interface ApiserverSettings {
  readonly address: string;
  readonly port: number;
  readonly etcd: string;
  readonly authority: Authority;
  readonly serving: KeyPair;
  readonly serviceAccountKey: { readonly privatePath: string; readonly publicPath: string };
  readonly serviceCidr: string;
  readonly authorizationModes: readonly string[];
  /** Client certificate towards the kubelet, where there is one. */
  readonly kubeletClient?: KeyPair;
  readonly extra?: readonly string[];
}

export function apiserverFlags(settings: ApiserverSettings): readonly string[] {
  const { authority, serving, serviceAccountKey, kubeletClient } = settings;
  return [
    `--bind-address=${settings.address}`,
    `--secure-port=${settings.port}`,
    `--etcd-servers=${settings.etcd}`,
    `--client-ca-file=${authority.certPath}`,
    `--tls-cert-file=${serving.certPath}`,
    `--tls-private-key-file=${serving.keyPath}`,
    `--authorization-mode=${settings.authorizationModes.join(',')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${serviceAccountKey.privatePath}`,
    `--service-account-key-file=${serviceAccountKey.publicPath}`,
    `--service-cluster-ip-range=${settings.serviceCidr}`,
    '--allow-privileged=true',
    '--profiling=false',
    ...(kubeletClient === undefined
      ? []
      : [
          `--kubelet-client-certificate=${kubeletClient.certPath}`,
          `--kubelet-client-key=${kubeletClient.keyPath}`,
          `--kubelet-certificate-authority=${authority.certPath}`,
          '--kubelet-preferred-address-types=InternalIP',
        ]),
    ...(settings.extra ?? []),
  ];
}
