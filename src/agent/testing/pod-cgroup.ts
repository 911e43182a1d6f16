/** Cgroups as the kubelet and containerd make them for one container, below a group of the test's own. */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = '/sys/fs/cgroup';

export interface PodCgroup {
  readonly procsFiles: readonly string[];
  remove(): Promise<void>;
}

/** A command that goes into these cgroups before it begins, with all that it starts. */
export function inCgroups(
  procsFiles: readonly string[],
  command: readonly [string, ...string[]],
): [string, ...string[]] {
  if (procsFiles.length === 0) return [...command];
  const join = procsFiles.map((file) => `echo $$ > ${file}`).join(' && ');
  return ['sh', '-c', `${join} && exec "$0" "$@"`, ...command];
}

export function makePodCgroup(group: string, podUid: string, containerId: string): PodCgroup {
  const hierarchies = existsSync(join(root, 'cgroup.controllers'))
    ? [root]
    : ['memory', 'cpu', 'cpuacct', 'unified'].map((name) => join(root, name)).filter((path) => existsSync(path));
  const folders = hierarchies.map((path) => join(path, group, `pod${podUid}`, containerId));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return {
    procsFiles: folders.map((folder) => join(folder, 'cgroup.procs')),
    async remove() {
      for (const folder of folders) {
        // A process that was killed leaves its group a moment later.
        for (let tries = 0; tries < 100 && readFileSync(join(folder, 'cgroup.procs'), 'utf8') !== ''; tries++)
          await sleep(50);
        for (const each of [folder, dirname(folder), dirname(dirname(folder))]) {
          try {
            rmdirSync(each);
          } catch {
            break; // another container of the test is still in it
          }
        }
      }
    },
  };
}
