import { existsSync } from 'node:fs';
import type { CgroupMembership, CgroupReader } from '../types.ts';
import { locate } from './locate.ts';
import { openCgroupV1 } from './v1.ts';
import { openCgroupV2 } from './v2.ts';

/**
 * A reader for the cgroup that these memberships (lines of /proc/PID/cgroup) describe: v2 where the mount is the unified hierarchy,
 * else the v1 controllers, with PSI from `<root>/unified` on hybrid machines. Undefined when no directory of it exists.
 */
export function openCgroup(
  memberships: readonly CgroupMembership[],
  cgroupRoot = '/sys/fs/cgroup',
): CgroupReader | undefined {
  const unifiedPath = memberships.find((m) => m.hierarchy === 0 && m.controllers.length === 0)?.path;
  if (existsSync(`${cgroupRoot}/cgroup.controllers`)) {
    const directory = unifiedPath === undefined ? null : locate(cgroupRoot, unifiedPath);
    return directory === null ? undefined : openCgroupV2(directory);
  }
  const directories = {
    memory: locateV1(memberships, cgroupRoot, 'memory'),
    cpu: locateV1(memberships, cgroupRoot, 'cpu'),
    cpuacct: locateV1(memberships, cgroupRoot, 'cpuacct'),
    unified: unifiedPath === undefined ? null : locate(`${cgroupRoot}/unified`, unifiedPath),
  };
  const some = Object.values(directories).some((directory) => directory !== null);
  return some ? openCgroupV1(directories) : undefined;
}

/** Controllers that share a hierarchy are mounted as `cpu,cpuacct`, mostly with links for each name. */
function locateV1(memberships: readonly CgroupMembership[], cgroupRoot: string, controller: string): string | null {
  const membership = memberships.find((m) => m.controllers.includes(controller));
  if (membership === undefined) return null;
  const mounts = [controller, membership.controllers.join(',')].map((name) => `${cgroupRoot}/${name}`);
  const mount = mounts.find((directory) => existsSync(directory));
  return mount === undefined ? null : locate(mount, membership.path);
}
