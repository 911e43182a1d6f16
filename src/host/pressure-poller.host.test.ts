/** The watch on real pressure: a process of ours that reads more than its cgroup may hold. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PressureOnset } from '../model/pressure-onset.ts';
import { monotonicNs } from './clock.ts';
import { pressurePoller } from './pressure-poller.ts';
import { parsePressure } from './psi.ts';

const root = '/sys/fs/cgroup';
const isHybrid = existsSync(`${root}/memory/memory.usage_in_bytes`) && existsSync(`${root}/unified/memory.pressure`);
const isV2 = existsSync(`${root}/cgroup.subtree_control`);
const missing =
  process.getuid?.() !== 0 ? 'not root' : isHybrid || isV2 ? undefined : 'no cgroup with memory.pressure here';
const because = missing === undefined ? '' : ` (skipped: ${missing})`;

const name = `robotgc-test-pressure-${process.pid}`;
const memory = isHybrid ? `${root}/memory/${name}` : `${root}/${name}`;
const unified = isHybrid ? `${root}/unified/${name}` : memory;
const limitFile = isHybrid ? 'memory.limit_in_bytes' : 'memory.max';
const folders = [...new Set([memory, unified])];

/** Anonymous memory within the limit, then page cache far above it, over and over. */
const thrash = `
  const fs = require('node:fs');
  const file = process.argv[1];
  const chunk = Buffer.alloc(1 << 20, 7);
  const fd = fs.openSync(file, 'w+');
  fs.unlinkSync(file);
  process.stdin.once('data', () => {
    const end = Date.now() + 20_000;
    for (let i = 0; i < 160; i++) fs.writeSync(fd, chunk, 0, chunk.length, i << 20);
    while (Date.now() < end) for (let i = 0; i < 160; i++) fs.readSync(fd, chunk, 0, chunk.length, i << 20);
  });
  console.log('ready');
`;

describe.skipIf(missing !== undefined)(`memory pressure, watched${because}`, () => {
  let child: ChildProcess | undefined;
  beforeAll(() => {
    if (isV2 && !isHybrid) writeFileSync(`${root}/cgroup.subtree_control`, '+memory');
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(`${memory}/${limitFile}`, String(64 << 20));
  });
  afterEach(async () => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exited = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await exited;
  });
  afterAll(() => {
    for (const folder of folders) rmdirSync(folder);
  });

  it('is told before the trailing second has been above the limit for 250 ms', async () => {
    const file = `/var/tmp/${name}`;
    child = spawn(process.execPath, ['-e', thrash, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => child?.stdout?.once('data', resolve));
    for (const folder of folders) writeFileSync(`${folder}/cgroup.procs`, String(child.pid));

    const onsets: PressureOnset[] = [];
    using watch = pressurePoller({ monotonicNs, onPressure: (_, onset) => onsets.push(onset) });
    const limits = { memoryPressureSome: 0.03, memoryPressureFull: 0.03 };
    watch.watch('ours', { directory: unified, limits });

    // The oracle: the same file, read every 5 ms in another way, and the rise over the last second counted out.
    const truth: { atNs: number; someNs: number }[] = [];
    let aboveSinceNs: number | null = null;
    let longestUntoldMs = 0;
    child.stdin?.write('go\n');
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
