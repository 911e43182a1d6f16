/** The probe crashes, or is not read for seconds: the agent says so, starts it again ever later, counts what was lost, and goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Flush, type ProbeClient, startProbe } from '../../src/host/probe/index.ts';
import { buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders, sleep } from '../../src/host/probe/testing/ground.ts';
import { attachPoints, goLayout } from '../../src/host/probe/testing/points.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { until } from '../support/until.ts';
import { childrenOf, residentBytesOf } from './children.ts';
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

  it('that stands still for seconds loses events of its full ring, says how many and of whom, and goes on', async () => {
    const churns = [tireless(), tireless(), tireless()];
    await using quiet = new Churn(binary);
    try {
      await using witness = await watchAll(churns, binary);
      await using rig = new SamplerRig();
      rig.watch('churns', ...churns.map(({ pid }) => pid));
      rig.watch('quiet', quiet.pid);
      await until('it is watched', () => (rig.windows.get('churns')?.length ?? 0) >= 2, 20_000);
      const pid = probesOf(process.pid).find((each) => each !== witness.processId) ?? 0;
      const witnessed: number[] = [];
      let witnessLost = 0;
      const witnessing = { done: false };
      const reading = (async (): Promise<void> => {
        while (!witnessing.done) {
          const flush = await witness.flush();
          witnessLost += flush.lost;
          witnessed.push(...timesOf([flush]));
          await sleep(100);
        }
      })();
      process.kill(pid, 'SIGSTOP');
      await sleep(4_000);
      process.kill(pid, 'SIGCONT');
      const lossOf = (key: string): number =>
        (rig.windows.get(key) ?? []).reduce((sum, { lostEvents }) => sum + lostEvents, 0);
      await until('the loss is told', () => lossOf('churns') > 0, 20_000);
      const told = rig.windows.get('churns')?.length ?? 0;
      await until('windows are whole again', () => (rig.windows.get('churns')?.length ?? 0) >= told + 2, 20_000);
      witnessing.done = true;
      await reading;
      const seen = timesOf(rig.flushes);
      const [firstNs, lastNs] = [
        Math.max(...[seen, witnessed].map((times) => Math.min(...times))),
        Math.min(...[seen, witnessed].map((times) => Math.max(...times))),
      ];
      const between = (times: readonly number[]): number => times.filter((at) => at > firstNs && at < lastNs).length;
      const lost = rig.flushes.reduce((sum, flush) => sum + flush.lost, 0);
      const missed = between(witnessed) - between(seen);
      expect(witnessLost).toBe(0);
      expect(missed).toBeGreaterThan(0);
      // Of each cycle the ring has four records: two pauses, the cycle, and the trigger that is reported with it.
      expect(lost).toBeGreaterThanOrEqual(missed);
      expect(lost).toBeLessThan((missed * 4) / 3 + 100);
      expect(lossOf('churns')).toBeGreaterThan(0.99 * lost);
      // Nothing of it was lost; but what is lost while the losses are counted may be anybody's.
      expect(lossOf('quiet')).toBeLessThan(0.01 * lost);
      expect(rig.ends).toEqual([]);
      expect(rig.newest('churns')?.lostEvents).toBe(0);
      expect(rig.newest('churns')?.gcPause.count).toBeGreaterThan(10);
      for (const churn of churns) expect(churn.alive).toBe(true);
    } finally {
      for (const churn of churns) await churn[Symbol.asyncDispose]();
    }
  });

  it('while nobody reads what the agent prints, what waits is bounded and what was dropped is told', async () => {
    await using churn = tireless();
    const run = spawn(process.execPath, [main, 'watch', '--pid', String(churn.pid), '-o', 'ndjson'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const windows: SignalWindow[] = [];
      const unread: number[] = [];
      let rest = '';
      run.stdout.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString('utf8')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line.startsWith('{"type":"window"')) windows.push(SignalWindow.parse(JSON.parse(line)));
          if (line.startsWith('{"type":"unread"'))
            unread.push(z.object({ lines: z.int() }).parse(JSON.parse(line)).lines);
        }
      });
      await until('windows', () => windows.length >= 2, 20_000);
      const before = residentBytesOf(run.pid ?? 0);
      run.stdout.pause();
      await sleep(16_000);
      expect(residentBytesOf(run.pid ?? 0) - before).toBeLessThan(64 * 2 ** 20);
      run.stdout.resume();
      await until('the loss is told', () => unread.length > 0, 20_000);
      expect(unread[0]).toBeGreaterThan(100);
      const told = windows.length;
      await until('windows come again', () => windows.length >= told + 2, 20_000);
      expect(unread).toHaveLength(1);
      const seqs = windows.map(({ seq }) => seq);
      expect(new Set(seqs).size).toBe(seqs.length);
      expect((seqs.at(-1) ?? 0) + 1).toBeGreaterThan(seqs.length);
      expect(churn.alive).toBe(true);
    } finally {
      await ended(run);
    }
  });
});

const timesOf = (flushes: readonly Flush[]): number[] =>
  flushes.flatMap(({ pauses, cycles }) => [...pauses.map(({ startNs }) => startNs), ...cycles.map(({ atNs }) => atNs)]);

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
