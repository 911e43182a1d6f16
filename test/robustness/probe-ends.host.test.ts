/** The probe crashes, or is not read for seconds: the agent says so, starts it again ever later, counts what was lost, and goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProbeClient, startProbe } from '../../src/host/probe/index.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders, sleep } from '../../src/host/probe/testing/ground.ts';
import { attachPoints, goLayout } from '../../src/host/probe/testing/points.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { until } from '../support/until.ts';
import { childrenOf } from './children.ts';
import { count, kernelObjectsOf, remaining } from './kernel-objects.ts';
import { SamplerRig } from './sampler-rig.ts';

const missing = missingGround();
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

describe.skipIf(missing !== '')(`the probe crashes or is not read${missing}`, () => {
  let binary = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
  });
  afterAll(removeTemporaryFolders);

  /** Collects without pause: some hundred cycles a second, each two pauses and a cycle. */
  const tireless = (): Churn => new Churn(binary, { GOMAXPROCS: '1' }, ['-lists', '1', '-gc-every', '1us']);

  it('is started again, each time later, and nothing of it stays', async () => {
    await using churn = new Churn(binary);
    await churn.ask('start');
    const upAtMs: number[] = [];
    const held: ReturnType<typeof kernelObjectsOf>[] = [];
    await using rig = new SamplerRig({ onProbeUp: () => upAtMs.push(performance.now()) });
    const probePid = (): number => probesOf(process.pid).at(-1) ?? 0;
    rig.watch('churn', churn.pid);
    await until('windows', () => (rig.windows.get('churn')?.length ?? 0) >= 2, 20_000);
    const signals = ['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGKILL'] as const;
    for (const [i, signal] of signals.entries()) {
      const pid = probePid();
      held.push(kernelObjectsOf(pid));
      const seen = rig.windows.get('churn')?.length ?? 0;
      process.kill(pid, signal);
      await until('its end is noticed', () => rig.ends.length === i + 1, 5_000);
      expect(rig.ends[i]?.error).toMatchObject({
        code: 'PROBE_EXITED',
        message: expect.stringContaining(`by ${signal}`),
      });
      await until('windows come again', () => (rig.windows.get('churn')?.length ?? 0) >= seen + 2, 20_000);
    }
    expect(rig.ends.map(({ retryInMs }) => retryInMs)).toEqual([250, 500, 1_000, 2_000]);
    // Of the first start, and of each start after an end.
    for (const [i, end] of rig.ends.entries()) {
      expect((upAtMs[i + 1] ?? 0) - end.atMs).toBeGreaterThanOrEqual(end.retryInMs - 5);
    }
    expect(held.map((objects) => count(objects) > 0)).toEqual(held.map(() => true));
    expect(held.map((objects) => count(remaining(objects)))).toEqual(held.map(() => 0));

    const windows = rig.windows.get('churn') ?? [];
    const resumed = windows.filter(({ observedFrom }) => observedFrom !== undefined);
    expect(resumed).toHaveLength(signals.length + 1);
    for (const window of resumed.slice(1)) {
      const before = windows[windows.indexOf(window) - 1];
      expect(window.seq).toBeGreaterThan((before?.seq ?? 0) + 1);
      expect(Date.parse(window.observedFrom ?? '')).toBeGreaterThan(Date.parse(before?.endedAt ?? ''));
    }
    const told = rig.states.get('churn')?.map(({ state }) => state) ?? [];
    expect(told.at(-1)).toBe('Watching');
    // The later waits are longer than a tick: then the state says what is the matter.
    expect(rig.states.get('churn')).toContainEqual(
      expect.objectContaining({ state: 'Waiting', reason: 'PROBE_EXITED' }),
    );
    const starts = rig.pauses.get('churn')?.map(({ startNs }) => startNs) ?? [];
    expect(new Set(starts).size).toBe(starts.length);
    expect((await churn.ask('report')).numGC).toBeGreaterThan(0);
  });

  it('that stands still for seconds loses events of its full ring, says how many, and goes on', async () => {
    const churns = [tireless(), tireless(), tireless()];
    try {
      await using witness = await watchAll(churns, binary);
      await using rig = new SamplerRig();
      rig.watch('churns', ...churns.map(({ pid }) => pid));
      await until('it is watched', () => (rig.windows.get('churns')?.length ?? 0) >= 2, 20_000);
      const pid = probesOf(process.pid).find((each) => each !== witness.processId) ?? 0;
      const witnessed: number[] = [];
      const witnessing = { done: false };
      const reading = (async (): Promise<void> => {
        while (!witnessing.done) {
          const { pauses, cycles } = await witness.flush();
          witnessed.push(...pauses.map(({ startNs }) => startNs), ...cycles.map(({ atNs }) => atNs));
          await sleep(100);
        }
      })();
      const from = rig.windows.get('churns')?.length ?? 0;
      process.kill(pid, 'SIGSTOP');
      await sleep(4_000);
      process.kill(pid, 'SIGCONT');
      const lossOf = (): number =>
        (rig.windows.get('churns') ?? []).slice(from).reduce((sum, { lostEvents }) => sum + lostEvents, 0);
      await until('the loss is told', () => lossOf() > 0, 20_000);
      const told = rig.windows.get('churns')?.length ?? 0;
      await until('windows are whole again', () => (rig.windows.get('churns')?.length ?? 0) >= told + 2, 20_000);
      witnessing.done = true;
      await reading;
      const told2 = rig.flushes.flatMap(({ pauses, cycles }) => [
        ...pauses.map(({ startNs }) => startNs),
        ...cycles.map(({ atNs }) => atNs),
      ]);
      const [begun = 0, until2 = 0] = [Math.min(...told2), Math.min(Math.max(...told2), Math.max(...witnessed))];
      const between = (times: readonly number[]): number => times.filter((at) => at > begun && at < until2).length;
      const lost = rig.flushes.reduce((sum, flush) => sum + flush.lost, 0);
      console.log(JSON.stringify({ lost, witnessed: between(witnessed), seen: between(told2) }));
      expect(rig.ends).toEqual([]);
      expect(rig.newest('churns')?.lostEvents).toBe(0);
      expect(rig.newest('churns')?.gcPause.count).toBeGreaterThan(10);
      for (const churn of churns) expect(churn.alive).toBe(true);
    } finally {
      for (const churn of churns) await churn[Symbol.asyncDispose]();
    }
  });

  it('and when nobody reads what the agent prints', async () => {
    await using churn = tireless();
    const run = spawn(process.execPath, [main, 'watch', '--pid', String(churn.pid), '-o', 'ndjson'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const windows: SignalWindow[] = [];
      let text = '';
      const onData = (chunk: Buffer): void => {
        const lines = (text + chunk.toString('utf8')).split('\n');
        text = lines.pop() ?? '';
        for (const line of lines)
          if (line.startsWith('{"type":"window"')) windows.push(SignalWindow.parse(JSON.parse(line)));
      };
      run.stdout.on('data', onData);
      await until('windows', () => windows.length >= 2, 20_000);
      run.stdout.pause();
      const pausedAt = windows.length;
      await sleep(8_000);
      run.stdout.resume();
      await until('the loss is told', () => windows.slice(pausedAt).some(({ lostEvents }) => lostEvents > 0), 20_000);
      const told = windows.length;
      await until('windows are whole again', () => windows.length >= told + 2, 20_000);
      expect(windows.at(-1)?.lostEvents).toBe(0);
      expect(churn.alive).toBe(true);
    } finally {
      await ended(run);
    }
  });
});

/** Probes of this process, the youngest last. */
function probesOf(parent: number): number[] {
  return childrenOf(parent, 'robotgc-probe').sort((a, b) => a - b);
}

async function watchAll(churns: readonly Churn[], binary: string): Promise<ProbeClient> {
  const probe = await startProbe();
  const [first] = churns;
  await probe.attach({ id: 'churn', file: `/proc/${first?.pid}/exe`, points: attachPoints(binary), layout: goLayout });
  for (const { pid } of churns) await probe.watch(pid, 'churn');
  return probe;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
