import { parseContainerPath } from './container-path.ts';
import type { CgroupMembership, ContainerProcesses, Proc } from './types.ts';

/**
 * All containers of pods on this node with their processes, by one scan of /proc/PID/cgroup.
 * Ordered by pod UID and container ID.
 */
export function scanContainers(proc: Proc): ContainerProcesses[] {
  const containers = new Map<
    string,
    { podUid: string; containerId: string; cgroups: CgroupMembership[]; pids: number[] }
  >();
  for (const pid of proc.pids()) {
    const memberships = proc.cgroups(pid);
    if (memberships === undefined) continue;
    const own = memberships.flatMap((membership) => {
      const place = parseContainerPath(membership.path);
      return place === undefined ? [] : [{ place, cgroup: { ...membership, path: place.containerPath } }];
    });
    const [first] = own;
    if (first === undefined) continue;
    const { podUid, containerId } = first.place;
    const key = `${podUid}/${containerId}`;
    const known = containers.get(key);
    if (known !== undefined) known.pids.push(pid);
    else containers.set(key, { podUid, containerId, cgroups: own.map((o) => o.cgroup), pids: [pid] });
  }
  return [...containers.keys()].sort().flatMap((key) => containers.get(key) ?? []);
}

/**
 * The container that a pod's status names: `status.containerStatuses[].containerID`, with or without its scheme
 * (`containerd://…`, `cri-o://…`, `docker://…`).
 */
export function findContainer(
  containers: readonly ContainerProcesses[],
  podUid: string,
  containerId: string,
): ContainerProcesses | undefined {
  const id = containerId.replace(/^[a-z0-9+.-]+:\/\//, '');
  return containers.find((c) => c.containerId === id && c.podUid === podUid);
}
