import { describe, expect, it } from 'vitest';
import { parseHierarchies } from './cgroups.ts';

describe('cgroup hierarchies of the machine', () => {
  it('on a hybrid machine: each v1 controller and the unified one without any', () => {
    const mountinfo = `
24 23 0:22 / /proc rw,nosuid - proc proc rw
28 25 0:25 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs rw,mode=755
29 28 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
30 28 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
31 28 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate`;
    expect(parseHierarchies(mountinfo)).toEqual([
      { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['rw', 'cpu', 'cpuacct'] },
      { mountPoint: '/sys/fs/cgroup/systemd', version: 1, controllers: ['rw', 'xattr', 'name=systemd'] },
      { mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] },
    ]);
  });

  it('on a machine with cgroup v2: one', () => {
    const mountinfo =
      '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';
    expect(parseHierarchies(mountinfo)).toEqual([{ mountPoint: '/sys/fs/cgroup', version: 2, controllers: [] }]);
  });
});
