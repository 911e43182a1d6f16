/**
 * GC CPU share and allocation rate of the agent's own windows against what the programs' runtimes counted in the same half minute: programs
 * of every supported Go version, side by side.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { measured } from '../../../test/support/measured.ts';
import { until } from '../../../test/support/until.ts';
import { Churn, type Report } from '../../host/probe/testing/churn.ts';
import {
  buildChurnAs,
  buildModes,
  type GoVersion,
  supportedToolchains,
} from '../../host/probe/testing/churn-builds.ts';
import { buildProbe, missingGround, sleep } from '../../host/probe/testing/ground.ts';
import type { GcFacts, SignalWindow } from '../../model/index.ts';
import { hostSampler } from './index.ts';

const missing = missingGround();
const spanMs = 30_000;

interface Run {
  readonly before: Report;
  readonly after: Report;
  readonly windows: readonly SignalWindow[];
}

/** What each program's windows held while it worked, from rest to rest. */
async function watchAll(): Promise<Map<GoVersion, Run>> {
  const [normal] = buildModes;
  if (!normal) throw new Error('there are build modes');
  const programs = supportedToolchains.map((version) => ({
    version,
    churn: new Churn(buildChurnAs(version, normal), { GOGC: '60' }, ['-lists', '200', '-goroutines', '3']),
  }));
  const windows = new Map<string, SignalWindow[]>(programs.map(({ version }) => [version, []]));
  const stop = new AbortController();
  const sampler = hostSampler({
    populate: () => new Map(programs.map(({ version, churn }) => [version, { pids: [churn.pid], cgroups: null }])),
    sink: { window: ({ key }, window) => windows.get(key)?.push(window) },
  });
  const running = sampler.run(stop.signal);
  /** Until each has a whole window more: then nothing of before is under way. */
  const settle = async (): Promise<void> => {
    const counts = new Map([...windows].map(([key, list]) => [key, list.length]));
    const grown = (): boolean => [...windows].every(([key, list]) => list.length >= (counts.get(key) ?? 0) + 2);
    await until('there are two windows more', grown, 60_000, 50);
  };
  const askAll = (request: string): Promise<Report[]> => Promise.all(programs.map(({ churn }) => churn.ask(request)));
  try {
    sampler.setTargets(
      supportedToolchains.map((key) => ({
        key,
        pod: { namespace: 'robots', name: key, uid: key },
        container: 'churn',
        containerId: key,
        activity: null,
      })),
    );
    await settle();
    // The first cycle seen tells GOMAXPROCS.
    await askAll('gc');
    await settle();
    const before = await askAll('report');
    for (const list of windows.values()) list.length = 0;
    await askAll('start');
    await sleep(spanMs);
    const after = await askAll('stop');
    await settle();
    return new Map(
      programs.map(({ version }, i) => {
        const [first, last] = [before[i], after[i]];
        if (!first || !last) throw new Error('each program answers');
        return [version, { before: first, after: last, windows: windows.get(version) ?? [] }];
      }),
    );
  } finally {
    stop.abort();
    await running;
    for (const { churn } of programs) await churn[Symbol.asyncDispose]();
  }
}

describe.skipIf(missing !== '')(`GC CPU share and allocation against the runtime’s own${missing}`, () => {
  let runs = new Map<GoVersion, Run>();
  measured(async () => {
    buildProbe();
    runs = await watchAll();
  }, 600_000);

  describe.each(supportedToolchains)('go%s', (version) => {
    let run: Run;
    beforeEach(() => {
      const found = runs.get(version);
      if (!found) throw new Error(`${version} did not run`);
      run = found;
    });
    /** Over all windows; a share is of GOMAXPROCS × the window. */
    const cpuSeconds = (share: (gc: GcFacts) => number): number =>
      run.windows.reduce(
        (sum, { gc, durationMs }) => sum + (gc ? (share(gc) * gc.gomaxprocs * durationMs) / 1000 : 0),
        0,
      );
    const charged = (pick: (report: Report) => number): number => pick(run.after) - pick(run.before);
    const relative = (ours: number, theirs: number): number => Math.abs(ours / theirs - 1);

    it('windows cover the time without a gap', () => {
      const coveredMs = run.windows.reduce((sum, { durationMs }) => sum + durationMs, 0);
      expect(coveredMs).toBeGreaterThanOrEqual(spanMs);
      expect(run.windows.every(({ lostEvents }) => lostEvents === 0)).toBe(true);
      expect(run.windows.reduce((sum, { gc }) => sum + (gc?.cycles ?? 0), 0)).toBe(charged(({ numGC }) => numGC));
    });

    it('the share is that of /cpu/classes/gc, within 1 %: with idle workers and without', () => {
      const total = charged(({ gcCpuSeconds }) => gcCpuSeconds);
      const idle = charged(({ idleCpuSeconds }) => idleCpuSeconds);
      const ours = cpuSeconds(({ cpuShare }) => cpuShare);
      const withIdle = cpuSeconds(({ cpuShare, idleShare = 0 }) => cpuShare + idleShare);
      const off = [relative(ours, total - idle), relative(withIdle, total)];
      console.info(
        `go${version}: ${total.toFixed(2)} s of GC, off by ${off.map((x) => `${(100 * x).toFixed(2)} %`).join(' and ')}`,
      );
      expect(total).toBeGreaterThan(0.5);
      for (const share of off) expect(share).toBeLessThan(0.01);
    });

    it('the share of assists is that of /cpu/classes/gc/mark/assist', () => {
      const theirs = charged(({ assistCpuSeconds }) => assistCpuSeconds);
      expect(cpuSeconds(({ assistShare }) => assistShare)).toBeCloseTo(theirs, 6);
    });

    it('what was allocated is /gc/heap/allocs, within 1 %, in the windows in which it was: nothing at rest', () => {
      const bytes = run.windows.reduce(
        (sum, { gc, durationMs }) => sum + ((gc?.allocBytesPerSecond ?? 0) * durationMs) / 1000,
        0,
      );
      const allocated = charged(({ allocBytes }) => allocBytes);
      expect(relative(bytes, allocated)).toBeLessThan(0.01);
      // The answer to the last request, a few hundred kilobytes, is before the last window.
      expect(run.windows.at(-1)?.gc?.allocBytesPerSecond).toBeLessThan(1e6);
      expect(allocated / (spanMs / 1000)).toBeGreaterThan(20e6);
    });

    it('live heap and goal are those of /gc/heap', () => {
      const last = run.windows.at(-1)?.gc;
      expect(last?.heapLiveBytes).toBe(run.after.heapLiveBytes);
      expect(last?.heapGoalBytes).toBe(run.after.heapGoalBytes);
      expect(last?.rootsBytes).toBe(run.after.stackScanBytes + run.after.globalsScanBytes);
    });
  });
});
