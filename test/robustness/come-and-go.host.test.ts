/** Programs that end, are killed for want of memory, or become others, while the probe is put into them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stopChild } from '../../src/agent/testing/robot.ts';
import { startProbe } from '../../src/host/probe/index.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  sleep,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { attachPoints } from '../../src/host/probe/testing/points.ts';
import { until } from '../support/until.ts';
import { descriptorsOf, kernelObjectsOf, textOf } from './kernel-objects.ts';
import { oddPrograms } from './odd-programs.ts';
import { SamplerRig } from './sampler-rig.ts';

const missing = missingGround();
const quick = ['-lists', '1', '-gc-every', '5ms'];
const memoryCgroup = '/sys/fs/cgroup/memory';
const withoutMemoryCgroup =
  missing !== '' || spawnSync('test', ['-w', `${memoryCgroup}/memory.limit_in_bytes`]).status !== 0;

describe.skipIf(missing !== '')(`targets come and go${missing}`, () => {
  let binary = '';
  let execs = '';
  let folder = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
    folder = temporaryFolder('come-and-go');
    execs = join(folder, 'execs');
    execFileSync('go', ['build', '-o', execs, '.'], {
      cwd: fileURLToPath(new URL('./testdata/execs', import.meta.url)),
    });
  });
  afterAll(removeTemporaryFolders);

  /** What the probe holds once it has started and watches nothing. */
  async function baselineOf(rig: SamplerRig): Promise<{ descriptors: number; links: number }> {
    await until('the probe is there', () => rig.flushes.length > 0, 20_000);
    await rig.nextTicks();
    const pid = rig.probe.processId;
    return { descriptors: descriptorsOf(pid), links: kernelObjectsOf(pid).link.length };
  }

  async function expectBackAt(rig: SamplerRig, baseline: { descriptors: number; links: number }): Promise<void> {
    const pid = rig.probe.processId;
    await until('everything is let go', () => descriptorsOf(pid) <= baseline.descriptors, 10_000, 100);
    expect(kernelObjectsOf(pid).link.length).toBeLessThanOrEqual(baseline.links);
    expect(rig.ends).toEqual([]);
  }

  it('that end at any moment of being attached to leave nothing behind', async () => {
    await using rig = new SamplerRig();
    const baseline = await baselineOf(rig);
    // Every file is another one, so that each is planned and attached to.
    for (let round = 0; round < 4; round++) {
      const churns = Array.from({ length: 8 }, (_, i) => {
        const file = join(folder, `mortal-${round}-${i}`);
        copyFileSync(binary, file);
        return new Churn(file, {}, quick);
      });
      await Promise.all(churns.map((churn) => until('it runs', () => churn.pid > 0)));
      rig.populations.clear();
      for (const [i, { pid }] of churns.entries()) rig.populations.set(`mortal-${round}-${i}`, [pid]);
      rig.follow();
      const seen = rig.flushes.length;
      await until('a tick', () => rig.flushes.length > seen, 10_000, 1);
      for (const churn of churns) {
        churn.kill();
        await sleep(Math.random() * 30);
      }
      await Promise.all(churns.map(({ exited }) => exited));
    }
    for (const key of rig.populations.keys()) rig.populations.set(key, []);
    await rig.nextTicks(2);
    for (const [key, states] of rig.states) {
      expect(
        states.filter(({ state }) => state === 'Refused'),
        key,
      ).toEqual([]);
      if (rig.populations.has(key)) expect(states.at(-1)).toMatchObject({ state: 'Waiting', reason: 'NoProcess' });
    }
    rig.populations.clear();
    rig.follow();
    await expectBackAt(rig, baseline);
  });

  it.skipIf(withoutMemoryCgroup)(
    `that are killed for want of memory are told as victims and waited for${withoutMemoryCgroup ? ' (skipped: needs the v1 memory controller)' : ''}`,
    async () => {
      const group = join(memoryCgroup, `robotgc-come-and-go-${process.pid}`);
      mkdirSync(group);
      try {
        writeFileSync(join(group, 'memory.limit_in_bytes'), String(48 * 2 ** 20));
        await using rig = new SamplerRig();
        const baseline = await baselineOf(rig);
        let victims = 0;
        for (let round = 0; round < 3; round++) {
          const churn = new Churn('sh', { GOGC: '400' }, [
            '-c',
            `echo $$ > ${group}/cgroup.procs && exec "$0" "$@"`,
            binary,
            '-lists',
            '700',
          ]);
          await until('it is the program', () => readFileSync(`/proc/${churn.pid}/comm`, 'utf8').startsWith('churn'));
          rig.watch('hungry', churn.pid);
          if (round > 0) await rig.untilState('hungry', 'Watching');
          // Its heap is 22 MB live: with GOGC=400 it grows beyond what it may have.
          await churn.ask('start').catch(() => undefined);
          expect(await churn.exited).toBeNull();
          rig.populations.set('hungry', []);
          await rig.untilState('hungry', 'Waiting');
          const counts = rig.flushes.splice(0).flatMap((flush) => flush.counts);
          victims += counts.reduce((sum, { oomVictims }) => sum + oomVictims.count, 0);
        }
        expect(victims).toBeGreaterThanOrEqual(2);
        rig.forget('hungry');
        await expectBackAt(rig, baseline);
      } finally {
        await until('the group is empty', () => readFileSync(join(group, 'cgroup.procs'), 'utf8') === '');
        rmdirSync(group);
      }
    },
  );

  it('that become another Go program, then one that is none, are followed through both', async () => {
    await using rig = new SamplerRig();
    const baseline = await baselineOf(rig);
    const next = join(folder, 'execs-too');
    copyFileSync(execs, next);
    const child = spawn(execs, [], { stdio: ['pipe', 'ignore', 'ignore'] });
    const pid = child.pid ?? 0;
    rig.watch('chain', pid);
    await rig.untilState('chain', 'Watching');
    const linksOf = (): number => kernelObjectsOf(rig.probe.processId).link.length;
    const links = linksOf();
    for (const file of [next, execs, next]) {
      child.stdin.write(`${file}\n`);
      await until(`it is ${file}`, () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`${file}\0`));
      const [seen, from] = [rig.flushes.length, process.hrtime.bigint()];
      await until('two ticks', () => rig.flushes.length > seen + 2, 10_000);
      await until(
        'its pauses are seen',
        () => (rig.pauses.get('chain') ?? []).some(({ startNs }) => startNs > Number(from)),
        10_000,
      );
      expect(rig.state('chain')).toMatchObject({ state: 'Watching', pids: [pid] });
      expect(linksOf()).toBe(links);
    }
    child.stdin.write('/usr/bin/sleep 60\n');
    await rig.untilState('chain', 'Refused');
    expect(rig.state('chain')).toMatchObject({ reason: 'not-go' });
    expect(child.exitCode ?? child.signalCode).toBeNull();
    await stopChild(child);
    rig.forget('chain');
    await expectBackAt(rig, baseline);
  });

  it('whose file was replaced are what they run: the old one goes on, the new one is looked at anew', async () => {
    await using rig = new SamplerRig();
    const file = join(folder, 'replaced');
    copyFileSync(binary, file);
    await using old = new Churn(file, {}, quick);
    rig.watch('replaced', old.pid);
    await rig.untilState('replaced', 'Watching');
    const renamed = join(folder, 'new');
    copyFileSync(execs, renamed);
    renameSync(renamed, file);
    const seen = rig.windows.get('replaced')?.length ?? 0;
    await until('windows go on', () => (rig.windows.get('replaced')?.length ?? 0) >= seen + 2, 10_000);
    const anew = spawn(file, [], { stdio: ['pipe', 'ignore', 'ignore'] });
    rig.watch('replaced', old.pid, anew.pid ?? 0);
    await until('both', () => rig.newest('replaced')?.pids.length === 2, 10_000);
    old.kill();
    rig.watch('replaced', anew.pid ?? 0);
    await until('the new one alone', () => rig.newest('replaced')?.pids.join() === String(anew.pid), 10_000);
    expect(rig.newest('replaced')?.gcPause.count).toBeGreaterThan(0);
    expect(rig.states.get('replaced')?.filter(({ state }) => state === 'Refused')).toEqual([]);
    await stopChild(anew);
  });

  it('whose file was overwritten in place, to the byte as long, are not taken for what was there before', async () => {
    await using rig = new SamplerRig();
    const file = join(folder, 'overwritten');
    const future = oddPrograms.find(({ name }) => name === 'of an unknown future Go');
    if (!future) throw new Error('no such program');
    copyFileSync(binary, file);
    const run = async (state: 'Watching' | 'Refused'): Promise<void> => {
      await using churn = new Churn(file, {}, quick);
      rig.watch('overwritten', churn.pid);
      await rig.untilState('overwritten', state);
      rig.populations.set('overwritten', []);
      churn.kill();
      await churn.exited;
      await rig.untilState('overwritten', 'Waiting');
    };
    await run('Watching');
    writeFileSync(file, future.make(readFileSync(binary)).bytes);
    await run('Refused');
    writeFileSync(file, readFileSync(binary));
    await run('Watching');
  });

  it('whose file is overwritten the moment they end, and run again, run without a breakpoint of ours', async () => {
    const file = join(folder, 'at-once');
    copyFileSync(binary, file);
    const churn = new Churn(file, {}, quick);
    const points = attachPoints(binary).filter(({ point }) => !point.startsWith('assist'));
    await using probe = await startProbe();
    await probe.attach({ id: 'at-once', file: `/proc/${churn.pid}/exe`, points });
    await probe.watch(churn.pid, 'at-once');
    await until('it is seen', async () => (await probe.flush()).pauses.length > 0);
    for (const text of textOf(churn.pid, file, points)) expect(text.slice(0, 2)).toBe('cc');
    const links = kernelObjectsOf(probe.processId).link.length;
    churn.kill();
    await churn.exited;
    // Nobody has told the probe, which knows of the end all the same.
    await until('the points are taken out', () => kernelObjectsOf(probe.processId).link.length < links, 2_000);

    // The same code; only what stands at the points differs, where the next program would be harmed.
    const changed = readFileSync(binary);
    for (const { offset } of points) changed.writeUInt8(0x90, offset);
    writeFileSync(file, changed);
    const anew = spawn(file, ['-lists', '1'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await until('it runs', () => readFileSync(`/proc/${anew.pid}/maps`, 'utf8').includes(file));
    for (const text of textOf(anew.pid ?? 0, file, points)) expect(text.slice(0, 2)).toBe('90');
    await expect(probe.watch(anew.pid ?? 0, 'at-once')).rejects.toMatchObject({ code: 'BYTES_DIFFER' });
    await stopChild(anew);

    // What it was attached to comes back: so does the attachment.
    writeFileSync(file, readFileSync(binary));
    await using again = new Churn(file, {}, quick);
    await probe.watch(again.pid, 'at-once');
    await until('it is seen again', async () => (await probe.flush()).pauses.some(({ pid }) => pid === again.pid));
  });
});
