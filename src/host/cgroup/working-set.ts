import type { MemoryStat } from '../types.ts';

/** What kubelet and `kubectl top` call the working set: use without the file cache that was not used lately. */
export function workingSetBytes(currentBytes: number | null, stat: MemoryStat | null): number | null {
  if (currentBytes === null || stat?.inactiveFileBytes == null) return null;
  return Math.max(0, currentBytes - stat.inactiveFileBytes);
}
