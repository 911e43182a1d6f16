/** Real Go programs, set and put back together, by an agent that may be killed at any point. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openProc, type ProcessIdentity } from '../../host/index.ts';
import { Churn } from '../../host/probe/testing/churn.ts';
import { buildChurnAs, buildModes } from '../../host/probe/testing/churn-builds.ts';
import { missingGround, removeTemporaryFolders } from '../../host/probe/testing/ground.ts';
import { identityOf } from '../../host/testing/go-process.ts';
import { LiveLedger } from './ledger.ts';
import { restoreAll, setAll } from './processes.ts';

const missing = missingGround();
const proc = openProc();
const wide = { gcPercent: 300, memoryLimitBytes: null };
const { signal } = new AbortController();

describe.skipIf(missing !== '')(`settings of a container's processes${missing}`, () => {
  let folder: string;
  let ledger: LiveLedger;
  const running: Churn[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'robotgc-live-'));
    await restartAgent();
  });
  afterEach(async () => {
    for (const churn of running.splice(0)) await churn[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  afterAll(removeTemporaryFolders);

  /** All that is left of an agent that was killed is what it wrote to disk. */
  async function restartAgent(): Promise<void> {
    ledger = await LiveLedger.open(join(folder, 'live.json'), 'boot-1');
  }

  async function start(gogc: string): Promise<{ churn: Churn; process: ProcessIdentity }> {
    const mode = buildModes.find(({ name }) => name === 'normal');
    if (!mode) throw new Error('no normal build');
    const churn = new Churn(buildChurnAs('1.26.8', mode), { GOGC: gogc });
    running.push(churn);
    await churn.ask('start');
    return { churn, process: identityOf(proc, churn.pid) };
  }

  const set = (
    processes: ProcessIdentity[],
    gcPercent: number,
    { mayWrite = true, bounds = { min: 25, max: 400 } } = {},
  ) =>
    setAll(
      processes,
      { change: { gcPercent }, from: {}, bounds, mayWrite },
      { proc, ledger, containerId: 'c', onDelete: 'Revert' },
      signal,
    );
  const gogcOf = async ({ churn }: { churn: Churn }) => (await churn.ask('report')).gogc;

  it('are in effect within two cycles, and exactly what they were before once taken back', async () => {
    const robots = [await start('70'), await start('80')];
    const processes = robots.map(({ process }) => process);
    expect(await set(processes, 300)).toEqual({
      type: 'applied',
      settings: { gcPercent: 300, memoryLimitBytes: null },
    });
    expect(await Promise.all(robots.map(gogcOf))).toEqual([300, 300]);
    // A second change does not lose the first value.
    expect(await set(processes, 200)).toMatchObject({ type: 'applied' });
    await restartAgent();
    expect(await restoreAll(ledger.ofContainer('c'), { proc, ledger }, signal)).toBeUndefined();
    expect(await Promise.all(robots.map(gogcOf))).toEqual([70, 80]);
    expect(ledger.ofContainer('c')).toEqual([]);
  });

  it('are set in all of them or in none', async () => {
    const robot = await start('70');
    const other = await start('70');
    await other.churn.ask('gogc 55');
    const outcome = await set([robot.process, other.process], 300);
    expect(outcome).toMatchObject({ type: 'refused', reason: 'SetByOthers', message: expect.stringContaining('55') });
    expect([await gogcOf(robot), await gogcOf(other)]).toEqual([70, 55]);
  });

  it('are known for its own by an agent that was killed after it wrote them, with the way back', async () => {
    const robot = await start('70');
    await set([robot.process], 300);
    await restartAgent();
    expect(await set([robot.process], 300)).toEqual({ type: 'applied', settings: wide });
    expect(ledger.of(robot.process)?.original.gcPercent).toBe(70);
    await restoreAll(ledger.ofContainer('c'), { proc, ledger }, signal);
    expect(await gogcOf(robot)).toBe(70);
  });

  it('are written once by an agent that was killed between its record and the write', async () => {
    const robot = await start('70');
    const settings = { gcPercent: 70, memoryLimitBytes: null };
    const { pid, startTicks } = robot.process;
    const ours = [{ ...settings, gcPercent: 300 }];
    await ledger.write({ pid, startTicks, containerId: 'c', original: settings, ours, onDelete: 'Revert' });
    await restartAgent();
    expect(await set([robot.process], 300)).toEqual({ type: 'applied', settings: wide });
    expect(ledger.of(robot.process)?.original).toEqual(settings);
  });

  it('are left to the program where it has set its own meanwhile', async () => {
    const robot = await start('70');
    await set([robot.process], 300);
    await robot.churn.ask('gogc 55');
    expect(await set([robot.process], 300)).toMatchObject({ type: 'refused', reason: 'SetByOthers' });
    await restoreAll(ledger.ofContainer('c'), { proc, ledger }, signal);
    expect(await gogcOf(robot)).toBe(55);
  });

  it('are not written while the policy only observes', async () => {
    const robot = await start('70');
    expect(await set([robot.process], 300, { mayWrite: false })).toMatchObject({ type: 'refused', reason: 'NotAuto' });
    expect(await gogcOf(robot)).toBe(70);
  });

  it('may lead towards the bounds from beyond them, a step at a time, and never away from them', async () => {
    const robot = await start('10');
    expect(await set([robot.process], 20)).toMatchObject({ type: 'applied', settings: { gcPercent: 20 } });
    expect(await set([robot.process], 5)).toMatchObject({ type: 'refused', reason: 'OutOfBounds' });
    const inside = await start('70');
    expect(await set([inside.process], 20)).toMatchObject({ type: 'refused', reason: 'OutOfBounds' });
    expect([await gogcOf(robot), await gogcOf(inside)]).toEqual([20, 70]);
  });

  it('of a boot before are nobody’s: process numbers begin anew', async () => {
    const robot = await start('70');
    await set([robot.process], 300);
    expect((await LiveLedger.open(join(folder, 'live.json'), 'boot-2')).containerIds.size).toBe(0);
  });
});
