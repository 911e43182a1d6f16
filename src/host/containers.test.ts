import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContainerScanner, scanContainers } from './containers.ts';
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
});

describe('scan each second', () => {
  const inContainer = (id: string): string => `0::/kubepods/burstable/pod${uid}/${id}\n`;
  const move = (pid: number, cgroup: string): void => writeFileSync(join(root, String(pid), 'cgroup'), cgroup);
  const newest = (pid: number): void => writeFileSync(join(root, 'loadavg'), `0.10 0.20 0.30 1/400 ${pid}\n`);
  let nowMs = 0;
  let reads: number[] = [];
  const scanner = (): ContainerScanner => {
    nowMs = 0;
    reads = [];
    const proc = openProc(root);
    const counted = {
      ...proc,
      cgroups: (pid: number) => {
        reads.push(pid);
        return proc.cgroups(pid);
      },
    };
    return new ContainerScanner(counted, () => nowMs);
  };
  const pidsOf = (scan: ContainerScanner): [string, readonly number[]][] =>
    scan.scan().map(({ containerId, pids }) => [containerId, pids]);

  it('sees what begins, moves and ends, as a whole scan does', () => {
    const scan = scanner();
    newest(7);
    addProcess(7, inContainer(robot));
    addProcess(8, '0::/system.slice/containerd.service\n');
    expect(scan.scan()).toEqual(scanContainers(openProc(root)));
    nowMs = 1000;
    move(8, inContainer(sidecar));
    expect(pidsOf(scan)).toEqual([
      [robot, [7]],
      [sidecar, [8]],
    ]);
    nowMs = 2000;
    addProcess(6, inContainer(robot));
    newest(9);
    expect(pidsOf(scan)).toContainEqual([robot, [6, 7]]);
    nowMs = 8000;
    rmSync(join(root, '8'), { recursive: true });
    expect(scan.scan()).toEqual(scanContainers(openProc(root)));
  });

  it('asks no process anew while none begins, except from time to time', () => {
    const scan = scanner();
    newest(7);
    addProcess(7, inContainer(robot));
    const first = scan.scan();
    for (nowMs = 1000; nowMs < 60_000; nowMs += 1000) expect(scan.scan()).toBe(first);
    expect(reads.length).toBeGreaterThan(3);
    expect(reads.length).toBeLessThan(12);
    move(7, inContainer(sidecar));
    nowMs += 60_000;
    expect(pidsOf(scan)).toEqual([[sidecar, [7]]]);
  });

  it('lists the processes each time where the newest number is not told', () => {
    const scan = scanner();
    scan.scan();
    addProcess(7, inContainer(robot));
    nowMs = 1000;
    expect(pidsOf(scan)).toEqual([[robot, [7]]]);
  });
});
