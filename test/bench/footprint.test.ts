import { describe, expect, test } from 'vitest';
import { choose, programOf } from './footprint.ts';

const usage = (pid: number, parentPid: number, command: string) => ({
  pid,
  parentPid,
  command,
  cpuSeconds: 0,
  rssBytes: 0,
  pssBytes: 0,
});

describe('footprint', () => {
  test.each([
    ['/usr/bin/node /opt/robotgc/robotgc.js operator --port 8080', 'operator'],
    ['node dist/robotgc.js agent', 'agent'],
    ['/opt/robotgc/bin/robotgc watch --pid 7', 'watch'],
    ['/opt/robotgc/robotgc-probe --attach auto', 'robotgc-probe'],
    ['node dist/robotgc.js bundle verify x', 'node dist/robotgc.js bundle verify x'],
    ['/usr/sbin/sshd -D', '/usr/sbin/sshd -D'],
  ])('%s is %s', (command, program) => {
    expect(programOf({ command })).toBe(program);
  });

  test("without pids the product's processes are chosen, with pids those and their descendants", () => {
    const all = [
      usage(1, 0, 'init'),
      usage(5, 1, 'node robotgc.js agent'),
      usage(6, 5, '/x/robotgc-probe'),
      usage(7, 1, 'sh'),
    ];
    expect(choose(all, []).map(({ pid }) => pid)).toEqual([5, 6]);
    expect(choose(all, [1]).map(({ pid }) => pid)).toEqual([1, 5, 6, 7]);
  });
});
