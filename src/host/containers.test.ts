import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findContainer, scanContainers } from './containers.ts';
import { openProc } from './proc.ts';

const uid = '0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f';
const robot = 'a'.repeat(64);
const sidecar = 'b'.repeat(64);

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'robotgc-proc-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function addProcess(pid: number, cgroup: string): void {
  mkdirSync(join(root, String(pid)));
  writeFileSync(join(root, String(pid), 'cgroup'), cgroup);
}

describe('scan of /proc/PID/cgroup', () => {
  it('groups processes by container, from v1 and v2 lines', () => {
    addProcess(
      30,
      `4:memory:/kubepods/burstable/pod${uid}/${robot}/inner\n0::/kubepods/burstable/pod${uid}/${robot}\n9:name=systemd:/\n`,
    );
    addProcess(7, `4:memory:/kubepods/burstable/pod${uid}/${robot}\n0::/kubepods/burstable/pod${uid}/${robot}\n`);
    addProcess(100, `0::/kubepods/burstable/pod${uid}/${sidecar}\n`);
    addProcess(1, '0::/init.scope\n');
    mkdirSync(join(root, '55'));
    mkdirSync(join(root, 'sys'));
    const containers = scanContainers(openProc(root));
    expect(containers.map(({ containerId, pids }) => [containerId, pids])).toEqual([
      [robot, [7, 30]],
      [sidecar, [100]],
    ]);
    expect(containers[0]?.cgroups).toEqual([
      { hierarchy: 4, controllers: ['memory'], path: `/kubepods/burstable/pod${uid}/${robot}` },
      { hierarchy: 0, controllers: [], path: `/kubepods/burstable/pod${uid}/${robot}` },
    ]);
  });

  it('finds the container that a pod status names', () => {
    addProcess(7, `0::/kubepods/burstable/pod${uid}/${robot}\n`);
    const containers = scanContainers(openProc(root));
    for (const name of [robot, `containerd://${robot}`, `cri-o://${robot}`]) {
      expect(findContainer(containers, uid, name)?.pids).toEqual([7]);
    }
    expect(findContainer(containers, uid, `containerd://${sidecar}`)).toBeUndefined();
    expect(findContainer(containers, 'another-uid', robot)).toBeUndefined();
    expect(findContainer(containers, uid, '')).toBeUndefined();
  });
});
