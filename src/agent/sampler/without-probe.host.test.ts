/** Where no probe can work: windows from real programs' own books, held against what their runtimes say; and the probe that comes later. */
import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { openProc } from '../../host/index.ts';
import { ProbeError, startProbe } from '../../host/probe/index.ts';
import { Churn } from '../../host/probe/testing/churn.ts';
import { buildChurnAs, type GoVersion, supportedToolchains } from '../../host/probe/testing/churn-builds.ts';
import { buildProbe, missingGround } from '../../host/probe/testing/ground.ts';
import { isMissing, type SignalWindow } from '../../model/index.ts';
import { hostSampler, type Target, type TargetState } from './index.ts';

const missing = missingGround();
const proc = openProc();
const missingFields = [
  'gcPause',
  'gcStopping',
  'gcPauseByReason',
  'gcAssist',
  'gcStall',
  'capturePause',
  'otherPause',
  'gc.triggers',
  'gc.cycleMaxNs',
  'gc.markMaxNs',
  'kernelMemory',
  'network',
];
/** What this machine's cgroups do not tell is another matter. */
const missingOf = (state: TargetState | undefined): readonly string[] =>
  state?.state === 'Watching'
    ? (state.missing ?? []).flatMap(({ signals }) => signals).filter((signal) => !signal.startsWith('cgroup.'))
    : ['all'];

const build = (version: GoVersion): string =>
  buildChurnAs(version, { name: 'static-stripped', flags: ['-ldflags=-s -w'], env: { CGO_ENABLED: '0' } });

const target: Target = {
  key: 'churn',
  pod: { namespace: 'robots', name: 'churn', uid: 'churn' },
  container: 'churn',
  containerId: 'churn',
  activity: null,
};

const noPermission = new ProbeError('NO_PERMISSION', 'the kernel refused to load the BPF program');

/** A sampler of one process under way. */
class Watched {
  readonly windows: SignalWindow[] = [];
  readonly states: TargetState[] = [];
  readonly downs: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(pid: number, startProbeHere: Parameters<typeof hostSampler>[0]['startProbe']) {
    const sampler = hostSampler({
      ...(startProbeHere ? { startProbe: startProbeHere } : {}),
      populate: () => new Map([['churn', { pids: [pid], cgroups: proc.cgroups(pid) ?? null }]]),
      sink: {
        window: (_, window) => this.windows.push(window),
        state: (_, state) => this.states.push(state),
      },
      onProbeDown: ({ code }) => this.downs.push(code),
    });
    sampler.setTargets([target]);
    this.#running = sampler.run(this.#stop.signal);
  }

  async more(windows: number): Promise<void> {
    const wanted = this.windows.length + windows;
    await until(`${windows} windows more`, () => this.windows.length >= wanted, 30_000, 20);
  }

  sum(value: (window: SignalWindow) => number): number {
    return this.windows.reduce((total, window) => total + value(window), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

const cpuSeconds = ({ gc, durationMs }: SignalWindow, share: number | undefined): number =>
  ((share ?? 0) * (gc?.gomaxprocs ?? 0) * durationMs) / 1e3;

describe.skipIf(missing !== '')(`watching without the probe${missing}`, () => {
  // Windows take their time, whoever else is watched meanwhile.
  describe.concurrent.each(supportedToolchains)('go%s, stripped', (version) => {
    let binary: string;
    beforeAll(() => {
      binary = build(version);
    }, 300_000);

    test('windows add up to what runtime/metrics counts', async () => {
      await using churn = new Churn(binary, { GOGC: '60', GOMEMLIMIT: '2GiB' });
      await churn.ask('gc');
      await using watched = new Watched(churn.pid, async () => Promise.reject(noPermission));
      await watched.more(2);
      const before = await churn.ask('report');
      await churn.ask('start');
      await watched.more(4);
      await churn.ask('stop');
      // What a window was charged ahead of a cycle's end, and was too much, the next cycles make up for.
      await churn.ask('gcs 40');
      const after = await churn.ask('gc');
      await watched.more(2);

      const rise = (name: 'numGC' | 'assistCpuSeconds' | 'dedicatedCpuSeconds' | 'pauseCpuSeconds'): number =>
        after[name] - before[name];
      expect(rise('numGC')).toBeGreaterThan(20);
      expect(watched.sum(({ gc }) => gc?.cycles ?? 0)).toBe(rise('numGC'));
      expect(watched.sum((window) => cpuSeconds(window, window.gc?.assistShare))).toBeCloseTo(
        rise('assistCpuSeconds'),
        6,
      );
      expect(watched.sum((window) => cpuSeconds(window, window.gc?.cpuShare))).toBeCloseTo(
        rise('assistCpuSeconds') + rise('dedicatedCpuSeconds') + rise('pauseCpuSeconds'),
        6,
      );
      const allocated = watched.sum(({ gc, durationMs }) => ((gc?.allocBytesPerSecond ?? 0) * durationMs) / 1e3);
      expect(allocated / (after.allocBytes - before.allocBytes)).toBeCloseTo(1, 2);
      expect(watched.windows.at(-1)?.gc).toMatchObject({
        heapLiveBytes: after.heapLiveBytes,
        heapGoalBytes: after.heapGoalBytes,
        gogc: 60,
        goMemLimitBytes: 2 * 1024 ** 3,
        gomaxprocs: after.maxProcs,
        limitDrivenCycles: 0,
      });
      expect(watched.windows.every(({ cgroup }) => (cgroup?.memoryCurrentBytes ?? 0) > 0)).toBe(true);
      expect(watched.windows.map(({ seq }) => seq)).toEqual(watched.windows.map((_, index) => index));
    }, 60_000);

    test('under a memory limit, goal and cycles are those of the limit', async () => {
      await using churn = new Churn(binary, { GOGC: 'off', GOMEMLIMIT: '40MiB' });
      await churn.ask('gc');
      await churn.ask('start');
      await using watched = new Watched(churn.pid, async () => Promise.reject(noPermission));
      await watched.more(3);
      await churn.ask('stop');
      const after = await churn.ask('gc');
      await watched.more(2);
      const gc = watched.windows.at(-1)?.gc;
      expect(gc).toMatchObject({ gogc: -1, goMemLimitBytes: 40 * 1024 ** 2, heapLiveBytes: after.heapLiveBytes });
      // The goal follows what is mapped from moment to moment.
      expect((gc?.heapGoalBytes ?? 0) / after.heapGoalBytes).toBeCloseTo(1, 1);
      expect(watched.sum((window) => window.gc?.limitDrivenCycles ?? 0)).toBeGreaterThan(10);
    }, 60_000);
  });

  test('state and windows say what is missing, and it is told once', async () => {
    await using churn = new Churn(build('1.26.8'), { GOGC: '60' });
    await churn.ask('start');
    await using watched = new Watched(churn.pid, async () => Promise.reject(noPermission));
    await watched.more(4);
    expect(watched.states.at(-1)).toMatchObject({
      state: 'Watching',
      goVersion: 'go1.26.8',
      pids: [churn.pid],
      missing: expect.arrayContaining([expect.objectContaining({ signals: missingFields, reason: 'NO_PERMISSION' })]),
    });
    expect(watched.states).toHaveLength(1);
    expect(watched.downs).toEqual(['NO_PERMISSION']);
    for (const window of watched.windows) {
      expect(window.missing).toEqual(missingFields);
      expect(window).not.toHaveProperty('network');
    }
  }, 60_000);

  test('a probe that starts later takes over: no window is lost, none is counted twice', async () => {
    buildProbe();
    await using churn = new Churn(build('1.26.8'), { GOGC: '60' });
    await churn.ask('gc');
    let attempts = 0;
    await using watched = new Watched(churn.pid, async () => {
      attempts += 1;
      if (attempts <= 4) throw noPermission;
      return startProbe();
    });
    await watched.more(1);
    const before = await churn.ask('report');
    await churn.ask('start');
    const { windows } = watched;
    await until('the probe watches', () => windows.some(({ missing: fields }) => fields === undefined), 30_000, 20);
    await watched.more(3);
    await churn.ask('stop');
    const after = await churn.ask('gc');
    await watched.more(2);

    expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, index) => index));
    const takeover = windows.findIndex((window) => !isMissing(window, 'gcStall'));
    expect(windows.slice(takeover).every((window) => !isMissing(window, 'gcStall'))).toBe(true);
    expect(windows.slice(takeover).some(({ gcPause }) => gcPause.count > 0)).toBe(true);
    expect(missingOf(watched.states.at(-1))).toEqual([]);
    const counted = watched.sum(({ gc }) => gc?.cycles ?? 0);
    const happened = after.numGC - before.numGC;
    expect(counted).toBeLessThanOrEqual(happened);
    // Those that end while the probe is put in place are seen by neither.
    expect(happened - counted).toBeLessThan(0.2 * happened);
  }, 90_000);

  test('a program that its runtime limits is told, with the probe and without', async () => {
    buildProbe();
    for (const start of [() => startProbe(), async () => Promise.reject(noPermission)]) {
      const strained = ['-goroutines', '64', '-lists', '3000'];
      await using churn = new Churn(build('1.26.8'), { GOGC: 'off', GOMEMLIMIT: '8MiB' }, strained);
      await churn.ask('start');
      await using watched = new Watched(churn.pid, start);
      await until('it is limited', () => watched.windows.at(-1)?.gc?.limiterOn === true, 30_000, 20);
      // Under the limit it would never come to rest.
      await churn.ask(`limit ${2 ** 40}`);
      await churn.ask('stop');
      await churn.ask('gc');
      await watched.more(2);
      expect(watched.windows.at(-1)?.gc?.limiterOn).toBe(false);
    }
  }, 90_000);

  test('a probe that only ends is waited for, not replaced by books', async () => {
    buildProbe();
    await using churn = new Churn(build('1.26.8'), { GOGC: '60' });
    await churn.ask('start');
    let probePid = 0;
    await using watched = new Watched(churn.pid, async () => {
      const probe = await startProbe();
      probePid = probe.processId;
      return probe;
    });
    await watched.more(2);
    process.kill(probePid, 'SIGKILL');
    await watched.more(3);
    expect(watched.windows.every((window) => !isMissing(window, 'gcStall'))).toBe(true);
    expect(watched.downs).toEqual(['PROBE_EXITED']);
  }, 60_000);
});
