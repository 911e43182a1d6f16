import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openCgroup } from '../../host/index.ts';
import { CgroupFacts } from '../../model/cgroup-window.ts';
import { missingInCgroup } from './missing-in-cgroup.ts';

const empty = mkdtempSync(join(tmpdir(), 'robotgc-cgroup-'));
afterAll(() => rmSync(empty, { recursive: true }));

/** Names of all files that are read of a cgroup, since none of them is there. */
function filesOf(version: 'v1' | 'v2') {
  const root = mkdtempSync(join(empty, version));
  if (version === 'v1') mkdirSync(join(root, 'memory'));
  else writeFileSync(join(root, 'cgroup.controllers'), '');
  const reader = openCgroup(
    [{ hierarchy: version === 'v1' ? 4 : 0, controllers: version === 'v1' ? ['memory'] : [], path: '/' }],
    root,
  );
  return reader?.read()?.missing ?? [];
}

describe('what a cgroup does not tell', () => {
  test('is named by the fields of windows, one entry a reason', () => {
    expect(
      missingInCgroup([
        { name: 'memory.high', problem: 'not in cgroup v1' },
        { name: 'memory.events low', problem: 'not in cgroup v1' },
        { name: 'memory.pressure', problem: 'no such hierarchy' },
        { name: 'memory.swap.current', problem: 'ENOENT' },
        { name: 'io.pressure', problem: 'not understood' },
      ]),
    ).toEqual([
      {
        signals: ['cgroup.memoryHighBytes', 'cgroup.events.low'],
        reason: 'CGROUP_V1',
        message: expect.stringContaining('cgroup v1 does not tell memory.high, memory.events low:'),
      },
      {
        signals: ['cgroup.memoryPressure', 'cgroup.memoryPressureAverages'],
        reason: 'NO_PSI',
        message: expect.stringContaining('memory.pressure (no such hierarchy)'),
      },
      {
        signals: ['cgroup.swapBytes', 'cgroup.ioPressure'],
        reason: 'NO_CGROUP_FILE',
        message: expect.stringContaining('memory.swap.current (ENOENT), io.pressure (not understood)'),
      },
    ]);
    expect(missingInCgroup([])).toEqual([]);
  });

  test.each(['v1', 'v2'] as const)('every file that is read of %s stands for fields that windows have', (version) => {
    const files = filesOf(version);
    expect(files.length).toBeGreaterThan(10);
    for (const { signals } of missingInCgroup(files)) {
      for (const signal of signals) expect(signal.split('.')[1]).toBeOneOf(Object.keys(CgroupFacts.shape));
    }
  });
});
