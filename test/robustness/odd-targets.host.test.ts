/** Programs that cannot be watched are refused with a reason, at once, and left alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { robotgc } from '../../src/agent/testing/cli.ts';
import { stopChild } from '../../src/agent/testing/robot.ts';
import { planAttach } from '../../src/gobin/index.ts';
import { openFileReader } from '../../src/host/index.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  sleep,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { buildTinyGoLike, gofmtOf, oddPrograms, writeOdd } from './odd-programs.ts';

const missing = missingGround();
const limitMs = 100;

describe.skipIf(missing !== '')(`odd targets${missing}`, () => {
  let binary = '';
  let folder = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
    folder = temporaryFolder('odd');
  });
  afterAll(removeTemporaryFolders);

  async function expectRefused(pid: number, reasons: readonly string[]): Promise<void> {
    expect(quickestRefusalMs(pid)).toBeLessThan(limitMs);
    const run = robotgc(['watch', '--pid', String(pid), '-o', 'ndjson']);
    expect(await run.exited).toBe(3);
    const [refused, ...more] = run.objects();
    expect(more).toEqual([]);
    expect(refused).toMatchObject({ type: 'refused', pid, message: expect.stringMatching(/\w+ \w+/) });
    expect(reasons).toContain(refused?.reason);
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

/** What another process on this machine takes is no part of the promise: the quickest of three. */
function quickestRefusalMs(pid: number): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    using reader = openFileReader(`/proc/${pid}/exe`);
    expect(planAttach(reader).kind).toBe('refused');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}
