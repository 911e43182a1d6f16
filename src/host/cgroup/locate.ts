import { existsSync, readdirSync } from 'node:fs';

const maxDepth = 8;
const maxDirectories = 4000;
/** Directories that mostly lie above a pod's cgroup, under kubelet (also in kind, k3s) and under systemd. */
const kubeletParents = /^(kubepods|kubelet|burstable|besteffort|k8s\.io|system)|\.slice$/;

/**
 * Directory of a cgroup path under a hierarchy's mount, or null when it does not exist.
 *
 * A reader in its own cgroup namespace sees `/../../pod…/id`, counted from its own cgroup, while the mount shows the host's root: then
 * the part after the dots is looked for level by level, below kubelet's directories first; kubelet's own root may have any name (`--cgroup-root`).
 * Pod UIDs and container IDs are unique, so the first hit is the one.
 */
export function locate(mount: string, path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '');
  const own = parts.findIndex((part) => part !== '..');
  const inside = own < 0 ? [] : parts.slice(own);
  if (inside.some((part) => part === '..' || part === '.')) return null;
  if (parts[0] !== '..') {
    const directory = [mount, ...inside].join('/');
    return existsSync(directory) ? directory : null;
  }
  return inside.length === 0 ? null : search(mount, inside.join('/'));
}

function search(mount: string, inside: string): string | null {
  let level = [mount];
  let looked = 0;
  for (let depth = 0; depth < maxDepth; depth++) {
    const next: string[] = [];
    for (const directory of level) {
      if (++looked > maxDirectories) return null;
      if (existsSync(`${directory}/${inside}`)) return `${directory}/${inside}`;
      next.push(...childDirectories(directory));
    }
    level = next;
  }
  return null;
}

function childDirectories(directory: string): string[] {
  try {
    const names = readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
    const { likely = [], others = [] } = Object.groupBy(names, (name) =>
      kubeletParents.test(name) ? 'likely' : 'others',
    );
    return [...likely, ...others].map((name) => `${directory}/${name}`);
  } catch {
    // Removed while we looked.
    return [];
  }
}
