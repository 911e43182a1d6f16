import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import type { GcGlobals } from '../gobin/index.ts';
import { openController } from './controller-reader.ts';
import { endedCycles, type GcSettings } from './gc-settings.ts';
import { type GcEffect, GcWriteError, type GcWriter, openGcWriter, type WrittenSettings } from './gc-writer.ts';
import { Churn, type Report } from './probe/testing/churn.ts';
import { buildChurnAs, buildModes, type GoVersion, supportedToolchains } from './probe/testing/churn-builds.ts';
import { missingGround, removeTemporaryFolders } from './probe/testing/ground.ts';
import { openProc } from './proc.ts';
import { globalsOf, identityOf } from './testing/go-process.ts';

/** Real programs of every Go version, changed from outside, and what their own runtime/metrics say of it. */
const missing = missingGround();
const proc = openProc();
const mib = 1024 * 1024;
const goOff = 2 ** 64;
const goNoLimit = 2 ** 63;
const newest = '1.26.8';
const modes = buildModes.filter(({ name }) => ['normal', 'stripped', 'pie'].includes(name));
const { signal } = new AbortController();

function churnOf(version: GoVersion, mode = 'normal'): string {
  const chosen = buildModes.find(({ name }) => name === mode);
  if (chosen === undefined) throw new Error(`no build mode ${mode}`);
  return buildChurnAs(version, chosen);
}

function writerOf(churn: Churn, globals = globalsOf(`/proc/${churn.pid}/exe`)): GcWriter {
  return openGcWriter(proc, identityOf(proc, churn.pid), globals);
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof GcWriteError) return error.code;
    throw error;
  }
  return undefined;
}

async function refusalOf(action: Promise<unknown>): Promise<GcWriteError> {
  const outcome: unknown = await action.catch((error: unknown) => error);
  if (outcome instanceof GcWriteError) return outcome;
  throw new Error('not refused', { cause: outcome });
}

async function effectOf(writer: GcWriter, written: WrittenSettings): Promise<GcEffect> {
  let effect: GcEffect = 'pending';
  await until(
    'the change has an effect',
    () => {
      effect = writer.effectOf(written);
      return effect !== 'pending';
    },
    15_000,
  );
  return effect;
}

/** From the program's own figures, as the documentation of GOGC has it. */
const goalOf = ({ heapLiveBytes, stackScanBytes, globalsScanBytes }: Report, gcPercent: number): number =>
  heapLiveBytes + Math.floor(((heapLiveBytes + stackScanBytes + globalsScanBytes) * gcPercent) / 100);

describe.skipIf(missing !== '')(`writing GOGC and GOMEMLIMIT of a running program${missing}`, () => {
  afterAll(removeTemporaryFolders);

  describe.each(supportedToolchains)('go%s', (version) => {
    it.each(modes)('$name: the program itself says what was written, and its next cycle does it', async ({ name }) => {
      await using churn = new Churn(churnOf(version, name), { GOGC: '70', GOMEMLIMIT: '900MiB' });
      await churn.ask('start');
      using writer = writerOf(churn);
      const initial: GcSettings = { gcPercent: 70, memoryLimitBytes: 900 * mib };
      expect(writer.read()?.settings).toEqual(initial);

      const wider = await writer.write({ gcPercent: 300 }, initial, { signal });
      expect(wider).toMatchObject({ before: initial, after: { ...initial, gcPercent: 300 } });
      expect(await churn.ask('report')).toMatchObject({ gogc: 300, memoryLimitBytes: 900 * mib });
      expect(await effectOf(writer, wider)).toBe('confirmed');
      await churn.ask('stop');
      const grown = await churn.ask('gc');
      expect(grown.heapGoalBytes).toBe(goalOf(grown, 300));

      // A limit of 64 MiB: where 20 are live the goal by GOGC would be 80. In effect at once, without a cycle.
      const limited = await writer.write({ memoryLimitBytes: 64 * mib }, wider.after, { signal });
      expect(writer.effectOf(limited)).toBe('confirmed');
      const under = await churn.ask('report');
      expect(under).toMatchObject({ gogc: 300, memoryLimitBytes: 64 * mib, numGC: grown.numGC });
      expect(under.heapGoalBytes).toBeLessThan(64 * mib);

      const off = await writer.write({ gcPercent: -1, memoryLimitBytes: null }, limited.after, { signal });
      const unbounded = await churn.ask('gc');
      expect(unbounded).toMatchObject({ gogc: goOff, memoryLimitBytes: goNoLimit });
      // The runtime takes no limit for one of 8 EB, less 3 %.
      expect(unbounded.heapGoalBytes).toBeGreaterThan(2 ** 62);
      expect(writer.effectOf(off)).toBe('confirmed');

      const back = await writer.write(initial, off.after, { signal });
      expect(writer.effectOf(back)).toBe('pending');
      // The limit holds at once, GOGC not before a cycle.
      expect((await churn.ask('report')).heapGoalBytes).toBeGreaterThan(500 * mib);
      await churn.ask('gc');
      const rest = await churn.ask('walk');
      expect(rest).toMatchObject({ gogc: 70, memoryLimitBytes: 900 * mib });
      expect(rest.heapGoalBytes).toBe(goalOf(rest, 70));
      expect(writer.effectOf(back)).toBe('confirmed');
      expect(writer.read()?.settings).toEqual(initial);
    });
  });

  it('nothing is written where the settings are as wanted', async () => {
    await using churn = new Churn(churnOf(newest), { GOGC: '70' });
    await churn.ask('gc');
    using writer = writerOf(churn);
    const settings = { gcPercent: 70, memoryLimitBytes: null };
    const written = await writer.write({ gcPercent: 70 }, settings, { signal });
    expect(written).toMatchObject({ before: settings, after: settings });
    expect(writer.effectOf(written)).toBe('confirmed');
  });

  it('a program that has never collected, its GOGC being off, takes another one up when something makes it collect', async () => {
    await using churn = new Churn(churnOf(newest), { GOGC: 'off' });
    await churn.ask('report');
    using writer = writerOf(churn);
    const on = await writer.write({ gcPercent: 100 }, { gcPercent: -1, memoryLimitBytes: null }, { signal });
    expect(on.cycles).toBe(0);
    expect((await churn.ask('report')).numGC).toBe(0);
    expect(writer.effectOf(on)).toBe('pending');
    const collected = await churn.ask('gc');
    expect(writer.effectOf(on)).toBe('confirmed');
    expect(collected.heapGoalBytes).toBe(goalOf(collected, 100));
  });

  describe('is refused, and nothing changes,', () => {
    const settings: GcSettings = { gcPercent: 70, memoryLimitBytes: 900 * mib };
    const env = { GOGC: '70', GOMEMLIMIT: '900MiB' };
    let binary: string;
    let globals: GcGlobals;
    beforeAll(() => {
      binary = churnOf(newest);
      globals = globalsOf(binary);
    });
    const unchanged = async (churn: Churn): Promise<void> => {
      expect(await churn.ask('walk')).toMatchObject({ gogc: 70, memoryLimitBytes: 900 * mib });
    };

    it('where other settings stand than were believed to', async () => {
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      using writer = writerOf(churn);
      for (const expected of [
        { ...settings, gcPercent: 100 },
        { ...settings, memoryLimitBytes: null },
        { gcPercent: -1, memoryLimitBytes: 900 * mib + 1 },
      ]) {
        const error = await refusalOf(writer.write({ gcPercent: 200 }, expected, { signal }));
        expect(error).toMatchObject({ code: 'UNEXPECTED', pid: churn.pid });
        expect(error.message).toContain(`has GOGC=70 and GOMEMLIMIT=${900 * mib}, not GOGC=`);
      }
      await unchanged(churn);
    });

    it('where values are out of bounds', async () => {
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      using writer = writerOf(churn);
      for (const change of [{ gcPercent: 0 }, { gcPercent: 3.5 }, { gcPercent: 2 ** 31 }, { memoryLimitBytes: 1000 }])
        expect((await refusalOf(writer.write(change, settings, { signal }))).code).toBe('INVALID');
      await unchanged(churn);
    });

    it('where a process is no Go program, or another one', async () => {
      expect(codeOf(() => openGcWriter(proc, identityOf(proc, process.pid), globals))).toBe('OTHER_PROGRAM');
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      for (const version of supportedToolchains.filter((other) => other !== newest)) {
        // As if their entries were at the same place, which alone tells two programs apart before their memory is looked at.
        const foreign = { ...globalsOf(churnOf(version)), entryAddress: globals.entryAddress };
        const refuse = async (): Promise<void> => {
          using writer = writerOf(churn, foreign);
          await writer.write({ gcPercent: 200 }, settings, { signal });
        };
        expect(['IMPLAUSIBLE', 'GONE']).toContain((await refusalOf(refuse())).code);
      }
      await unchanged(churn);
    });

    it('where an address or an offset is wrong by a word', async () => {
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      const { workAddress, layout } = globals;
      if (workAddress === null) throw new Error('runtime.work was not found');
      const shifted = (bytes: number) =>
        Object.fromEntries(
          Object.entries(layout.fields).map(([name, field]) => [
            name,
            field.offset < 72 || field.offset >= 272 ? field : { ...field, offset: field.offset + bytes },
          ]),
        ) as typeof layout.fields;
      const wrong: GcGlobals[] = [
        { ...globals, gcControllerAddress: globals.gcControllerAddress + 8 },
        { ...globals, gcControllerAddress: globals.gcControllerAddress - 8 },
        { ...globals, workAddress: workAddress + 8 },
        { ...globals, workAddress: workAddress - 8 },
        { ...globals, gcControllerAddress: workAddress },
        { ...globals, layout: { ...layout, fields: shifted(8) } },
        { ...globals, layout: { ...layout, fields: shifted(-8) } },
      ];
      for (const at of wrong) {
        const refuse = async (): Promise<void> => {
          using writer = writerOf(churn, at);
          await writer.write({ gcPercent: 200 }, settings, { signal });
        };
        const { code, message } = await refusalOf(refuse());
        expect(code, message).toMatch(/IMPLAUSIBLE|UNEXPECTED/);
      }
      await unchanged(churn);
    });

    it('where nothing tells the cycles, or the least heap is another', async () => {
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      expect(codeOf(() => writerOf(churn, { ...globals, workAddress: null }))).toBe('IMPLAUSIBLE');
      const experiment = { ...globals, goVersion: 'go1.26.8 X:heapminimum512kib' };
      expect(codeOf(() => writerOf(churn, experiment))).toBe('IMPLAUSIBLE');
      await unchanged(churn);
    });

    it('where the limit would go before a cycle has taken up another GOGC than off', async () => {
      await using churn = new Churn(binary, { GOGC: 'off', GOMEMLIMIT: '900MiB' });
      await churn.ask('gc');
      using writer = writerOf(churn);
      const off = { gcPercent: -1, memoryLimitBytes: 900 * mib };
      const options = { signal, timeoutMs: 50 };
      const both = { gcPercent: 100, memoryLimitBytes: null };
      expect((await refusalOf(writer.write(both, off, options))).code).toBe('BUSY');
      expect(await churn.ask('report')).toMatchObject({ gogc: goOff, memoryLimitBytes: 900 * mib });
      const on = await writer.write({ gcPercent: 100 }, off, { signal });
      expect((await refusalOf(writer.write({ memoryLimitBytes: null }, on.after, options))).code).toBe('BUSY');
      await churn.ask('gc');
      await writer.write({ memoryLimitBytes: null }, on.after, { signal });
      expect(await churn.ask('report')).toMatchObject({ gogc: 100, memoryLimitBytes: goNoLimit });
    });

    it('while a cycle is under way', async () => {
      await using churn = new Churn(binary, env, ['-lists', '6000']);
      await churn.ask('start');
      using writer = writerOf(churn);
      using reader = openController(proc, identityOf(proc, churn.pid), globals);
      // Stopped in the middle of marking, it stays there.
      const isMarking = (): boolean => {
        const work = reader.readWork();
        return work !== null && work !== undefined && endedCycles(work) === work.cycles - 1;
      };
      for (let tries = 0; ; tries++) {
        if (tries > 500) throw new Error('never stopped while it marked');
        process.kill(churn.pid, 'SIGSTOP');
        await sleep(5);
        if (isMarking()) break;
        process.kill(churn.pid, 'SIGCONT');
        await sleep(7);
      }
      const options = { signal, timeoutMs: 100 };
      expect((await refusalOf(writer.write({ gcPercent: 200 }, settings, options))).code).toBe('BUSY');
      process.kill(churn.pid, 'SIGCONT');
      const written = await writer.write({ gcPercent: 200 }, settings, { signal });
      expect(await effectOf(writer, written)).toBe('confirmed');
      await churn.ask('stop');
      await churn.ask('walk');
    });

    it('where the caller gives up, or has closed the writer', async () => {
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      using given = writerOf(churn);
      await expect(given.write({ gcPercent: 200 }, settings, { signal: AbortSignal.abort() })).rejects.toThrow(
        /abort/i,
      );
      // Just opened, its first look is too fresh: this one waits, and meanwhile the file is closed.
      const writer = writerOf(churn);
      const waiting = refusalOf(writer.write({ gcPercent: 200 }, settings, { signal }));
      writer[Symbol.dispose]();
      expect((await waiting).code).toBe('GONE');
      expect(writer.read()).toBeUndefined();
      await unchanged(churn);
    });

    it('where the program has ended', async () => {
      await using churn = new Churn(binary, env);
      await churn.ask('gc');
      const identity = identityOf(proc, churn.pid);
      using writer = writerOf(churn);
      const written = await writer.write({ gcPercent: 200 }, settings, { signal });
      churn.kill();
      await churn.exited;
      expect(writer.effectOf(written)).toBe('gone');
      expect(writer.read()).toBeUndefined();
      expect((await refusalOf(writer.write({ gcPercent: 100 }, written.after, { signal }))).code).toBe('GONE');
      expect(codeOf(() => openGcWriter(proc, identity, globals))).toBe('GONE');
    });
  });

  it("the program's own SetGCPercent and SetMemoryLimit stand: they are seen, and not overwritten", async () => {
    await using churn = new Churn(churnOf(newest));
    await churn.ask('gc');
    using writer = writerOf(churn);
    const initial = { gcPercent: 100, memoryLimitBytes: null };
    const written = await writer.write({ gcPercent: 250, memoryLimitBytes: 500 * mib }, initial, { signal });
    await churn.ask('gc');
    expect(writer.effectOf(written)).toBe('confirmed');
    await churn.ask('gogc 60');
    expect(writer.effectOf(written)).toBe('notConfirmed');
    const refusal = await refusalOf(writer.write(initial, written.after, { signal }));
    expect(refusal.code).toBe('UNEXPECTED');
    expect(refusal.message).toContain('GOGC=60');
    await churn.ask('gogc 250');
    await churn.ask(`limit ${400 * mib}`);
    expect(writer.effectOf(written)).toBe('notConfirmed');
    expect((await refusalOf(writer.write(initial, written.after, { signal }))).code).toBe('UNEXPECTED');
    expect(await churn.ask('gc')).toMatchObject({ gogc: 250, memoryLimitBytes: 400 * mib });
  });

  it('a thousand changes at random leave a program that allocates all the while unharmed, with the last in effect', async () => {
    await using churn = new Churn(churnOf(newest, 'stripped'), { GOGC: '100' });
    await churn.ask('start');
    using writer = writerOf(churn);
    let settings: GcSettings = { gcPercent: 100, memoryLimitBytes: null };
    let seed = 42;
    const below = (most: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % most;
    };
    for (let change = 1; change <= 1_000; change++) {
      const memoryLimitBytes = (60 + below(400)) * mib;
      const wanted = { gcPercent: below(5) === 0 ? -1 : 20 + below(500), memoryLimitBytes };
      const written = await writer.write(wanted, settings, { signal });
      expect(writer.read()?.settings).toEqual(wanted);
      // Few live until a cycle: every fiftieth is waited for.
      if (change % 50 === 0) expect(await effectOf(writer, written)).toBe('confirmed');
      else await sleep(below(6));
      expect(writer.effectOf(written)).not.toBe('notConfirmed');
      settings = written.after;
    }
    const last = await writer.write({ gcPercent: 123, memoryLimitBytes: 321 * mib }, settings, { signal });
    expect(await effectOf(writer, last)).toBe('confirmed');
    const busy = await churn.ask('report');
    expect(busy).toMatchObject({ gogc: 123, memoryLimitBytes: 321 * mib });
    await churn.ask('stop');
    await churn.ask('walk');
    const rest = await churn.ask('gc');
    expect(rest.heapGoalBytes).toBe(goalOf(rest, 123));
    expect(churn.gcTrace).toEqual([]);
  });
});
