/** Where a cgroup path says its process belongs. */
export interface ContainerPlace {
  readonly podUid: string;
  readonly containerId: string;
  /** The path up to and with the container's own cgroup. */
  readonly containerPath: string;
}

/** A UUID (systemd writes `_` for `-`, which separates slices), or 32 hex digits for static pods. */
const podPattern = /(?:^|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
/** `<id>`, `cri-containerd-<id>.scope`, `crio-<id>.scope`, `docker-<id>.scope`; not `crio-conmon-<id>.scope`. */
const containerPattern = /^(?:(?:cri-containerd|crio|docker)-)?([0-9a-f]{64})(?:\.scope)?$/;
/** containerd without its systemd driver under a kubelet with it: `kubepods-…-pod<uid>.slice:cri-containerd:<id>`. */
const colonPattern = /^(.*):cri-containerd:([0-9a-f]{64})$/;

/**
 * Reads pod UID and container ID out of a cgroup path, as kubelet names them:
 *
 *     cgroupfs  /kubepods/burstable/pod<uid>/<id>
 *     systemd   /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope
 *
 * Only the end of the path counts, since kubelet's root may lie deeper (kind), and another cgroup namespace shows `/../..` before it.
 */
export function parseContainerPath(path: string): ContainerPlace | undefined {
  const parts = path.split('/');
  for (const [i, part] of parts.entries()) {
    const colon = colonPattern.exec(part);
    const pod = podPattern.exec(colon?.[1] ?? part)?.[1];
    if (pod === undefined) continue;
    const inside = colon === null ? containerPattern.exec(parts[i + 1] ?? '')?.[1] : colon[2];
    if (inside === undefined) continue;
    const containerPath = parts.slice(0, colon === null ? i + 2 : i + 1).join('/');
    return { podUid: pod.replaceAll('_', '-'), containerId: inside, containerPath };
  }
  return undefined;
}
