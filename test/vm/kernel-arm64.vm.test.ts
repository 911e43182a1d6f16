/** The product on arm64, emulated: Linux 6.12 of Debian 13, `robotgc watch` on Node, the probe, a Go program and its runtime's own books. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { reportSchema } from '../../src/host/probe/testing/churn.ts';
import { runOnArm64 } from './arm64/machine.ts';
import { arm64Files, guestPaths } from './arm64/programs.ts';
import { type Arm64Supplies, ensureArm64 } from './arm64/supplies.ts';
import type { CpioEntry } from './cpio.ts';
import { exactnessJudged } from './exactness-suite.ts';
import { whyNoMachine } from './ground.ts';

const Written = z.object({
  from: z.string(),
  before: z.object({ gcPercent: z.number() }),
  effect: z.string(),
  after: reportSchema,
});

const missing = whyNoMachine();

describe.skipIf(missing !== '')(`an arm64 machine${missing}`, () => {
  let folder: string | undefined;
  let supplies: Arm64Supplies;
  let files: readonly CpioEntry[];
  beforeAll(async () => {
    supplies = await ensureArm64();
    const built = await mkdtemp(join(tmpdir(), 'robotgc-arm64-programs-'));
    folder = built;
    files = arm64Files(supplies, built);
  });
  afterAll(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const run = async (command: readonly string[]): Promise<unknown> =>
    JSON.parse(await runOnArm64(supplies.kernel, files, [guestPaths.node, ...command]));

  exactnessJudged((cycles) => {
    const { exactness, churn, robotgc, probe } = guestPaths;
    return run([exactness, churn, robotgc, String(cycles), probe]);
  }, /^uprobe_multi$/);

  it('GOGC that is written into a running program has the effect that its runtime says', async () => {
    const { from, before, effect, after } = Written.parse(
      await run([guestPaths.written, guestPaths.churnStripped, '400']),
    );
    expect({ from, before: before.gcPercent, effect, after: after.gogc }).toEqual({
      from: 'code',
      before: 100,
      effect: 'confirmed',
      after: 400,
    });
    const scanned = after.heapLiveBytes + after.stackScanBytes + after.globalsScanBytes;
    expect(after.heapGoalBytes).toBe(after.heapLiveBytes + 4 * scanned);
  });
});
