/**
 * Programs that cannot be watched are refused with a reason, within 100 ms, and left alone.
 *
 * What is held against the 100 ms is processor time, since a busy machine makes anything late: of the agent from the look at the process to
 * the order to write the status; of `robotgc watch` all until its end, less what it takes for a program that is refused at a glance, which
 * is its own start and end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostSampler } from '../../src/agent/sampler/index.ts';
import { robotgc } from '../../src/agent/testing/cli.ts';
import { stopChild } from '../../src/agent/testing/robot.ts';
import { ProbeError } from '../../src/host/probe/index.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  sleep,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { buildTinyGoLike, gofmtOf, oddPrograms, writeOdd } from './odd-programs.ts';
import { target } from './sampler-rig.ts';

const missing = missingGround();
const limitMs = 100;

describe.skipIf(missing !== '')(`odd targets${missing}`, () => {
  let binary = '';
  let folder = '';
  let sleeper: ChildProcess;
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
    folder = temporaryFolder('odd');
    sleeper = spawn('sleep', ['600'], { stdio: 'ignore' });
  });
  afterAll(async () => {
    await stopChild(sleeper);
    removeTemporaryFolders();
  });

  async function expectRefused(pid: number, reasons: readonly string[]): Promise<void> {
    // What another process on this machine takes is no part of the promise: the quickest of some.
    await quickest(() => statusOrderMs(pid));
    let [startMs, endMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    await quickest(async () => {
      const { refused, reason, cpuMs } = await refusedByWatch(pid);
      expect(refused).toMatchObject({ type: 'refused', pid, message: expect.stringMatching(/\w+ \w+/) });
      expect(reasons).toContain(reason);
      endMs = Math.min(endMs, cpuMs);
      // In turn: how fast this machine is changes within minutes.
      startMs = Math.min(startMs, (await refusedByWatch(sleeper.pid ?? 0)).cpuMs);
      return endMs - startMs;
    });
  }

  describe('damaged and hostile programs', () => {
    it.each(oddPrograms.map((odd, index) => ({ ...odd, index })))('$name', async (odd) => {
      await using churn = new Churn(writeOdd(odd, binary, folder, odd.index), {}, ['-lists', '10']);
      const before = await churn.ask('gc');
      await expectRefused(churn.pid, odd.reasons);
      expect((await churn.ask('gc')).numGC).toBe(before.numGC + 1);
    });
  });

  describe('other programs', () => {
    const running = async (command: string, args: string[], reasons: string[]): Promise<void> => {
      const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      await sleep(100);
      await expectRefused(child.pid ?? 0, reasons);
      expect(child.exitCode ?? child.signalCode).toBeNull();
      await stopChild(child);
    };

    it('a C program', () => running('sleep', ['60'], ['not-go']));
    it('a script', () => running('sh', ['-c', 'sleep 60; :'], ['not-go']));
    it('TinyGo', () => running(buildTinyGoLike(folder), [], ['tinygo']));
    it.each(['1.17.13', '1.20.14', '1.21.13'])('go%s', (version) =>
      running(gofmtOf(version, folder), [], ['unsupported-go-version']),
    );
  });
});

async function quickest(measure: () => Promise<number>): Promise<void> {
  let ms = await measure();
  for (let tries = 1; tries < 10 && ms >= limitMs; tries++) ms = await measure();
  expect(ms).toBeLessThan(limitMs);
}

/** The command with its probe, by the shell's own count. */
async function refusedByWatch(pid: number): Promise<{ refused: object | undefined; reason: unknown; cpuMs: number }> {
  const timed = ['bash', '-c', 'TIMEFORMAT="took %U %S"; time "$@"', 'timed'];
  const run = robotgc(['watch', '--pid', String(pid), '-o', 'ndjson'], { wrapper: timed });
  expect(await run.exited).toBe(3);
  const [refused, ...more] = run.objects();
  expect(more).toEqual([]);
  const [, user, system] = /^took (\S+) (\S+)$/m.exec(run.stderr()) ?? [];
  return { refused, reason: refused?.reason, cpuMs: (Number(user) + Number(system)) * 1000 };
}

/** In the agent's sampler, from its look at the process until it tells the state that goes into the policy's status. */
async function statusOrderMs(pid: number): Promise<number> {
  let before: NodeJS.CpuUsage | undefined;
  const told = Promise.withResolvers<number>();
  const stop = new AbortController();
  const sampler = hostSampler({
    startProbe: () => Promise.reject(new ProbeError('NO_BPF', 'a program that is refused needs none')),
    populate: () => {
      before ??= process.cpuUsage();
      return new Map([['odd', { pids: [pid], cgroups: null }]]);
    },
    sink: {
      window: () => {},
      state: (_, { state }) => {
        const { user, system } = process.cpuUsage(before);
        if (state === 'Refused') told.resolve((user + system) / 1000);
      },
    },
  });
  sampler.setTargets([target('odd')]);
  const running = sampler.run(stop.signal);
  const ms = await told.promise;
  stop.abort();
  await running;
  return ms;
}
