import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from './processes.ts';

/**
 * The cluster's own branch in every cgroup hierarchy of the machine (one with cgroup v2, a dozen on v1 or hybrid ones):
 * `/robotgc/NAME/system` holds the cluster's programs and the container shims, `/robotgc/NAME/kubepods` is the kubelet's.
 * Whatever lives in the branch belongs to the cluster, so ending it needs no search by name.
 */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

export function cgroupRootOf(name: string): string {
  return `/robotgc/${name}`;
}

/** From the text of /proc/self/mountinfo. */
export function parseHierarchies(mountinfo: string): readonly Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = before.split(' ')[4];
    const [type, , options = ''] = after.split(' ');
    if (mountPoint === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    found.push({
      mountPoint,
      version: type === 'cgroup2' ? 2 : 1,
      controllers: type === 'cgroup' ? options.split(',') : [],
    });
  }
  return found;
}

export async function hierarchies(): Promise<readonly Hierarchy[]> {
  return parseHierarchies(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Makes the branch and returns the `cgroup.procs` files that a program of the cluster has to enter. */
export async function createCgroups(name: string): Promise<readonly string[]> {
  const entered: string[] = [];
  for (const hierarchy of await hierarchies()) {
    let dir = hierarchy.mountPoint;
    for (const part of [...cgroupRootOf(name).split('/').filter(Boolean), 'system']) {
      const parent = dir;
      if (hierarchy.version === 2) await enableControllers(parent);
      dir = join(parent, part);
      await mkdir(dir, { recursive: true });
      if (hierarchy.controllers.includes('cpuset')) await inheritCpuset(parent, dir);
    }
    entered.push(join(dir, 'cgroup.procs'));
  }
  return entered;
}

/** Kills all that live in the branch until nothing does, then removes it. */
export async function destroyCgroups(name: string): Promise<void> {
  const roots = (await hierarchies()).map((hierarchy) => join(hierarchy.mountPoint, cgroupRootOf(name)));
  const present = roots.filter((root) => existsSync(root));
  await waitUntil(async () => {
    const pids = new Set((await Promise.all(present.map(pidsBelow))).flat());
    for (const pid of pids) killQuietly(pid);
    return pids.size === 0;
  }, 15_000);
  // A group stays busy for a moment after its last process has ended.
  await waitUntil(async () => (await Promise.all(present.map(removeTree))).every(Boolean), 10_000);
  for (const root of present) await rmdir(join(root, '..')).catch(() => {}); // /robotgc goes with the last cluster
}

async function enableControllers(dir: string): Promise<void> {
  const controllers = (await readFile(join(dir, 'cgroup.controllers'), 'utf8')).trim();
  for (const controller of controllers.split(' ').filter(Boolean)) {
    // One by one: a controller that cannot be enabled here must not keep the others from it.
    await writeFile(join(dir, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
  }
}

/** A new v1 cpuset is empty, and nothing can run in it. */
async function inheritCpuset(parent: string, dir: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const current = (await readFile(join(dir, file), 'utf8')).trim();
    if (current === '') await writeFile(join(dir, file), await readFile(join(parent, file), 'utf8'));
  }
}

async function pidsBelow(dir: string): Promise<readonly number[]> {
  const own = (await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map(Number);
  const children = await Promise.all((await subdirectories(dir)).map(pidsBelow));
  return [...own, ...children.flat()].filter((pid) => pid > 0);
}

async function removeTree(dir: string): Promise<boolean> {
  for (const child of await subdirectories(dir)) await removeTree(child);
  await rmdir(dir).catch(() => {});
  return !existsSync(dir);
}

async function subdirectories(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}
