import type { SignalWindow } from './window.ts';

/**
 * Processes of a container that the kernel killed for memory, in one window; undefined where nobody looked. The cgroup counts them all, but where its
 * last process is killed the container's runtime removes it, mostly before it is read again: those that were watched the probe saw.
 */
export function oomKills({ cgroup, kernelMemory }: Pick<SignalWindow, 'cgroup' | 'kernelMemory'>): number | undefined {
  if (!cgroup && !kernelMemory) return undefined;
  return Math.max(cgroup?.oomKills ?? 0, kernelMemory?.oomVictims.count ?? 0);
}
