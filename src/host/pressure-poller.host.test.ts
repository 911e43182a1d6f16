/** The watch on real pressure: a process of ours that reads more than its cgroup may hold. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PressureOnset } from '../model/pressure-onset.ts';
import { monotonicNs } from './clock.ts';
import { pressurePoller } from './pressure-poller.ts';
import { parsePressure } from './psi.ts';
import { cgroupRoot, isHybrid, isV2, missingCgroups, Thrasher } from './testing/thrash.ts';

const because = missingCgroups === undefined ? '' : ` (skipped: ${missingCgroups})`;

const name = `robotgc-test-pressure-${process.pid}`;
const memory = isHybrid ? `${cgroupRoot}/memory/${name}` : `${cgroupRoot}/${name}`;
const unified = isHybrid ? `${cgroupRoot}/unified/${name}` : memory;
const limitFile = isHybrid ? 'memory.limit_in_bytes' : 'memory.max';
const folders = [...new Set([memory, unified])];

describe.skipIf(missingCgroups !== undefined)(`memory pressure, watched${because}`, () => {
  beforeAll(() => {
    if (isV2) writeFileSync(`${cgroupRoot}/cgroup.subtree_control`, '+memory');
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(`${memory}/${limitFile}`, String(64 << 20));
  });
  afterAll(() => {
    for (const folder of folders) rmdirSync(folder);
  });

  it('is told before the trailing second has been above the limit for 250 ms', async () => {
    const file = `/var/tmp/${name}`;
    await using child = await Thrasher.start(file);
    for (const folder of folders) writeFileSync(`${folder}/cgroup.procs`, String(child.pid));

    const onsets: PressureOnset[] = [];
    using watch = pressurePoller({ monotonicNs, onPressure: (_, onset) => onsets.push(onset) });
    const limits = { memoryPressureSome: 0.03, memoryPressureFull: 0.03 };
    watch.watch('ours', { directory: unified, limits });

    // The oracle: the same file, read every 5 ms in another way, and the rise over the last second counted out.
    const truth: { atNs: number; someNs: number }[] = [];
    let aboveSinceNs: number | null = null;
    let longestUntoldMs = 0;
    child.begin();
    const endMs = Date.now() + 20_000;
    while (onsets.every(({ signal }) => signal !== 'memoryPressureSome') && Date.now() < endMs) {
      const someNs = parsePressure(readFileSync(`${unified}/memory.pressure`, 'utf8'))?.some.totalNs ?? 0;
      const atNs = monotonicNs();
      truth.push({ atNs, someNs });
      const base = truth.find((t) => t.atNs >= atNs - 1e9) ?? { someNs };
      const above = (someNs - base.someNs) / 1e9 > limits.memoryPressureSome;
      aboveSinceNs = above ? (aboveSinceNs ?? atNs) : null;
      if (aboveSinceNs !== null) longestUntoldMs = Math.max(longestUntoldMs, (atNs - aboveSinceNs) / 1e6);
      await sleep(5);
    }
    const onset = onsets.find(({ signal }) => signal === 'memoryPressureSome');
    expect(onset?.share).toBeGreaterThan(limits.memoryPressureSome);
    expect(longestUntoldMs).toBeLessThanOrEqual(250);
  });

  it('ends quietly when the cgroup goes', async () => {
    const folder = `${unified}/gone`;
    mkdirSync(folder);
    const told: PressureOnset[] = [];
    using watch = pressurePoller({ monotonicNs, onPressure: (_, onset) => told.push(onset) });
    watch.watch('gone', { directory: folder, limits: { memoryPressureSome: 0, memoryPressureFull: 0 } });
    await sleep(450);
    rmdirSync(folder);
    await sleep(450);
    expect(told).toEqual([]);
  });
});
