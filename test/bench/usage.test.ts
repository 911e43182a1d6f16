import { describe, expect, test } from 'vitest';
import { allUsages, parseStat, tree, usageOf } from './usage.ts';

describe('use of the machine', () => {
  test('a name with brackets and blanks does not shift the fields', () => {
    const stat = '7 (a) b (c) S 4 7 7 0 -1 4194304 1 2 3 4 250 150 5 6 20 0 1 0 100 1000 10';
    expect(parseStat(stat)).toEqual({ parentPid: 4, cpuSeconds: 4 });
  });

  test('a process and its descendants, not its siblings', () => {
    const usage = (pid: number, parentPid: number) => ({
      pid,
      parentPid,
      cpuSeconds: 0,
      rssBytes: 0,
      pssBytes: 0,
      command: '',
    });
    const all = [usage(1, 0), usage(2, 1), usage(3, 2), usage(4, 1), usage(5, 3)];
    expect(tree(all, 2).map(({ pid }) => pid)).toEqual([2, 3, 5]);
  });

  test('this process is found, with its memory and time', async () => {
    const own = (await allUsages()).find(({ pid }) => pid === process.pid);
    expect(own?.parentPid).toBe(process.ppid);
    expect(own?.rssBytes).toBeGreaterThan(20e6);
    expect(own?.pssBytes).toBeLessThanOrEqual(own?.rssBytes ?? 0);
    expect(own?.cpuSeconds).toBeGreaterThan(0);
  });

  test('a process that has ended has none', async () => {
    expect(await usageOf(2 ** 30)).toBeUndefined();
  });
});
