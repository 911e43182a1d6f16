import { basename, dirname } from 'node:path';

/** As the kubelet names a pod's cgroup: `pod<uid>`, under systemd `kubepods-burstable-pod<uid, - as _>.slice`. */
const podGroup = /(^|-)pod[0-9a-f]{8}[-_0-9a-f]{24,28}(\.slice)?$/;

/**
 * A file of the pod whose container has this cgroup, by a name relative to the container's; undefined where that lies in no pod. A pod's
 * limit is the sum of its containers', but its use is theirs and the sandbox's: where there is but one container, the pod's is met first,
 * and only there the kernel counts it.
 */
export function inPod(directory: string | null, name: string): string | undefined {
  return directory !== null && podGroup.test(basename(dirname(directory))) ? `../${name}` : undefined;
}
