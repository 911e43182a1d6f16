import type { ClusterNetwork } from './network.ts';

/** Where things are inside the node; /run is the node's own, so these paths do not meet the machine's containerd. */
export const containerdSocket = '/run/containerd/containerd.sock';
export const pauseImage = 'robotgc.dev/pause:local';

export interface ContainerdSettings {
  readonly root: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
}

export function containerdConfig(settings: ContainerdSettings): string {
  return `version = 3
root = '${settings.root}'
state = '/run/containerd'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.internal.v1.tracing', 'io.containerd.image-verifier.v1.bindir']

[grpc]
  address = '${containerdSocket}'

[plugins.'io.containerd.internal.v1.opt']
  path = '${settings.root}/opt'

[plugins.'io.containerd.metadata.v1.bolt']
  no_sync = true

[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'overlayfs'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${pauseImage}'

[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE an OOM score cannot be lowered, and runc dies when asked to.
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['${settings.cniBinDir}']
  conf_dir = '${settings.cniConfDir}'
  use_internal_loopback = true
`;
}

/**
 * Point-to-point links instead of a shared bridge: every packet between pods passes the node's routing, so that replies
 * from behind a service address are translated back without the br_netfilter module, which not every kernel has.
 */
export function cniConfig(network: ClusterNetwork, dataDir: string): string {
  const ipam = {
    type: 'host-local',
    dataDir,
    ranges: [[{ subnet: network.podCidr }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const plugins = [
    { type: 'ptp', ipMasq: false, mtu: 1500, ipam },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'robotgc', plugins }, null, 2)}\n`;
}
