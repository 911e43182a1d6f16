/** Programs in containers: a root that holds nothing but the program, a root with a whole Debian. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { robotgc } from '../../src/agent/testing/cli.ts';
import { stopChild } from '../../src/agent/testing/robot.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { until } from '../support/until.ts';
import { SamplerRig } from './sampler-rig.ts';

const missing = missingGround();

describe.skipIf(missing !== '')(`in containers${missing}`, () => {
  let binary = '';
  let dynamic = '';
  let folder = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
    folder = temporaryFolder('containers');
    dynamic = join(folder, 'churn-dynamic');
    execFileSync('go', ['build', '-ldflags=-linkmode=external', '-o', dynamic, '.'], {
      cwd: fileURLToPath(new URL('../../src/host/probe/testdata/churn', import.meta.url)),
      env: { ...process.env, CGO_ENABLED: '1' },
    });
  });
  afterAll(removeTemporaryFolders);

  /** The program as `/robot` of a root that `script` makes at $ROOT, in a mount namespace that nobody else sees. */
  function contained(program: string, script: string): ChildProcess {
    const root = join(folder, `root-${roots++}`);
    mkdirSync(root);
    const steps = [script, 'exec chroot "$ROOT" /opt/robot -lists 1 -gc-every 5ms'].join(' && ');
    return spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', steps], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ROOT: root, PROGRAM: program },
    });
  }
  let roots = 0;
  const scratch = 'mount -t tmpfs scratch "$ROOT" && mkdir "$ROOT/opt" && cp "$PROGRAM" "$ROOT/opt/robot"';
  const debian = 'mount --bind / "$ROOT" && mount -t tmpfs opt "$ROOT/opt" && cp "$PROGRAM" "$ROOT/opt/robot"';

  it.each([
    ['scratch', scratch, () => binary],
    ['Debian', debian, () => dynamic],
  ])('a %s root: seen through /proc/PID, not by any path of this side', async (kind, script, program) => {
    const child = contained(program(), script);
    const pid = child.pid ?? 0;
    try {
      await until('it runs', () => readlinkSync(`/proc/${pid}/exe`).endsWith('/opt/robot'), 10_000);
      expect(existsSync(readlinkSync(`/proc/${pid}/exe`))).toBe(false);
      expect(existsSync(`/proc/${pid}/root/bin/sh`)).toBe(kind === 'Debian');
      expect(statSync(`/proc/${pid}/exe`).dev).not.toBe(statSync('/').dev);
      const run = robotgc(['watch', '--pid', String(pid), '--duration', '4s', '-o', 'ndjson']);
      expect(await run.exited).toBe(0);
      const pauses = run.objects().filter((object) => object.type === 'pause');
      expect(pauses.length).toBeGreaterThan(20);
      expect(child.exitCode ?? child.signalCode).toBeNull();
    } finally {
      await stopChild(child);
    }
  });

  it('several Go processes in one container, with one that is none, are one window', async () => {
    await using rig = new SamplerRig();
    const churns = [new Churn(binary, {}, ['-lists', '1']), new Churn(dynamic, {}, ['-lists', '1'])];
    const shell = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      const pids = churns.map(({ pid }) => pid);
      rig.watch('pod', ...pids, shell.pid ?? 0);
      await until('both', () => rig.newest('pod')?.pids.length === 2, 20_000);
      await rig.nextTicks();
      rig.pauses.clear();
      const from = rig.windows.get('pod')?.length ?? 0;
      for (const churn of churns) await churn.ask('gc');
      await rig.nextTicks(2);
      expect(
        rig.pauses
          .get('pod')
          ?.map(({ pid }) => pid)
          .sort(),
      ).toEqual(pids.flatMap((pid) => [pid, pid]).sort());
      const counted = (rig.windows.get('pod') ?? []).slice(from).reduce((sum, { gcPause }) => sum + gcPause.count, 0);
      expect(counted).toBe(4);
      expect(rig.state('pod')).toMatchObject({ state: 'Watching', pids: [...pids].sort((a, b) => a - b) });
    } finally {
      for (const churn of churns) churn.kill();
      await stopChild(shell);
    }
  });
});
