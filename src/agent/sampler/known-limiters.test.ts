import { describe, expect, test } from 'vitest';
import { KnownLimiters, type Limiters } from './known-limiters.ts';

describe('limiters of the collector', () => {
  const one = [1];
  const reads = (windows: readonly { readonly collects: boolean; readonly pids?: readonly number[] }[]): boolean[] => {
    const known = new KnownLimiters();
    let latest: Limiters = new Map();
    return windows.map(({ collects, pids = one }) => {
      let isRead = false;
      const told = known.after(collects, pids, () => {
        isRead = true;
        latest = new Map([[pids[0] ?? 0, { isOn: false, lastCycle: 0 }]]);
        return latest;
      });
      expect(told).toBe(latest);
      return isRead;
    });
  };
  const quiet = { collects: false };
  const collecting = { collects: true };

  test('are read in each window in which a process collects, in the one after, and first of all', () => {
    expect(reads([quiet, quiet, quiet, collecting, collecting, quiet, quiet, quiet])).toEqual([
      ...[true, false, false],
      ...[true, true, true, false, false],
    ]);
  });

  test('are read where other processes are watched than before', () => {
    const other = { ...quiet, pids: [2] };
    expect(reads([quiet, quiet, other, other])).toEqual([true, false, true, false]);
  });
});
