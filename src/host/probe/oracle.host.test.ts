/** The probe against the Go runtime's own books, on a real program that allocates hard. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measured } from '../../../test/support/measured.ts';
import { type Flush, type ProbeClient, startProbe } from './index.ts';
import { assistsOnly, countInto, countsBetween, everyAssist, sum } from './testing/buckets.ts';
import { buildChurn, Churn, type Report } from './testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders, sleep } from './testing/ground.ts';
import { mergeHistograms } from './testing/histogram.ts';
import { attachPoints, goLayout } from './testing/points.ts';

const missing = missingGround();

interface Observed {
  before: Report;
  after: Report;
  seen: Flush;
  gcTrace: string[];
}

/** Watches a churn from rest to rest while `doing` makes it work. */
async function observe(
  binary: string,
  way: string,
  env: Record<string, string>,
  doing: (churn: Churn) => Promise<unknown>,
): Promise<Observed> {
  await using churn = new Churn(binary, { GODEBUG: 'gctrace=1', ...env });
  await using probe: ProbeClient = await startProbe({ args: ['--attach', way, '--assists', everyAssist] });
  await probe.attach({
    id: 'churn',
    file: `/proc/${churn.pid}/exe`,
    points: attachPoints(binary),
    layout: goLayout,
  });
  await probe.watch(churn.pid, 'churn');
  const before = await churn.ask('stop');
  await probe.flush();
  const traced = churn.gcTrace.length;
  await doing(churn);
  const after = await churn.ask('stop');
  const seen = await probe.flush();
  return { before, after, seen, gcTrace: churn.gcTrace.slice(traced) };
}

/** Two pauses a cycle; how long that takes depends on the machine. */
async function churnFor(churn: Churn, cycles: number): Promise<void> {
  const { numGC } = await churn.ask('start');
  while ((await churn.ask('report')).numGC < numGC + cycles) await sleep(100);
  await churn.ask('stop');
}

describe.skipIf(missing !== '')(`probe against the runtime's own numbers${missing}`, () => {
  let binary = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
  });
  afterAll(removeTemporaryFolders);

  describe.each(['uprobe_multi', 'perf'])('attached by %s', (way) => {
    let run: Observed;
    measured(async () => {
      run = await observe(binary, way, { GOGC: '50' }, async (churn) => {
        await churnFor(churn, 160);
        for (let i = 0; i < 20; i++) await churn.ask('memstats');
        await churn.ask('gc');
      });
    });

    it('counts every GC pause in exactly the bucket that the runtime counted it in', () => {
      const pauses = run.seen.pauses.filter(({ reason }) => reason === 1 || reason === 2);
      expect(pauses.length).toBeGreaterThanOrEqual(300);
      expect(run.seen.lost).toBe(0);
      expect(
        countInto(
          run.after.pausesTotal,
          pauses.map((pause) => pause.totalNs),
        ),
      ).toEqual(countsBetween(run.before.pausesTotal, run.after.pausesTotal));
    });

    it('splits off the stopping part as the runtime does', () => {
      const pauses = run.seen.pauses.filter(({ reason }) => reason === 1 || reason === 2);
      const stopping = pauses.map(({ stoppingNs }) => stoppingNs ?? Number.NaN);
      expect(countInto(run.after.pausesStopping, stopping)).toEqual(
        countsBetween(run.before.pausesStopping, run.after.pausesStopping),
      );
    });

    it('tells pauses for other reasons apart: ReadMemStats', () => {
      const others = run.seen.pauses.filter(({ reason }) => reason !== 1 && reason !== 2);
      expect(others.filter(({ reason }) => reason === 7)).toHaveLength(20);
      expect(
        countInto(
          run.after.otherPausesTotal,
          others.map((pause) => pause.totalNs),
        ),
      ).toEqual(countsBetween(run.before.otherPausesTotal, run.after.otherPausesTotal));
    });

    it('reports each cycle once', () => {
      expect(run.seen.cycles).toHaveLength(run.after.numGC - run.before.numGC);
      expect(run.seen.cycles.filter((cycle) => cycle.userForced)).toHaveLength(
        run.after.forcedGC - run.before.forcedGC,
      );
      expect(run.seen.cycles.every((cycle) => cycle.procs === run.after.maxProcs)).toBe(true);
      expect(run.seen.cycles.every((cycle) => cycle.markStartNs < cycle.atNs)).toBe(true);
    });

    it('gives the last live heap, goal and roots as runtime/metrics does', () => {
      const last = run.seen.cycles.at(-1);
      expect(last).toMatchObject({
        gcPercent: 50,
        memoryLimitBytes: null,
        goalByMemoryLimit: false,
        heapMarkedBytes: run.after.heapLiveBytes,
        heapGoalBytes: run.after.heapGoalBytes,
        lastStackScanBytes: run.after.stackScanBytes,
        globalsScanBytes: run.after.globalsScanBytes,
      });
      expect(last?.totalAllocBytes).toBeLessThanOrEqual(run.after.allocBytes);
    });

    it('gives each cycle the sizes that gctrace prints', () => {
      // "gc 12 @…: … 23->30->21 MB, 33 MB goal, …": as it started, as marking ended, live; whole MiB.
      const sizes = /(\d+)->(\d+)->(\d+) MB, (\d+) MB goal/;
      const traced = run.gcTrace.map((line) => sizes.exec(line)?.slice(1).map(Number) ?? []);
      const mib = (size: number | null): number => Math.floor((size ?? Number.NaN) / 2 ** 20);
      const seen = run.seen.cycles.map((cycle) => [mib(cycle.heapMarkedBytes), mib(cycle.lastHeapGoalBytes)]);
      expect(seen).toEqual(traced.map(([, , live, goal]) => [live, goal]));
      // The trigger is read after the world has stopped, so it may have grown past the size at the start.
      for (const [i, [start = 0, peak = 0]] of traced.entries()) {
        const triggered = mib(run.seen.cycles[i]?.triggeredBytes ?? null);
        expect(triggered).toBeGreaterThanOrEqual(start);
        expect(triggered).toBeLessThanOrEqual(peak);
      }
    });

    it('adds up to the GC CPU time that the runtime reports', () => {
      const seconds = (pick: 'assistNs' | 'dedicatedNs' | 'fractionalNs' | 'idleNs'): number =>
        sum(run.seen.cycles.map((cycle) => cycle[pick])) / 1e9;
      expect(seconds('assistNs')).toBeCloseTo(run.after.assistCpuSeconds - run.before.assistCpuSeconds, 5);
      // The runtime counts fractional workers as dedicated ones.
      expect(seconds('dedicatedNs') + seconds('fractionalNs')).toBeCloseTo(
        run.after.dedicatedCpuSeconds - run.before.dedicatedCpuSeconds,
        5,
      );
      expect(seconds('idleNs')).toBeCloseTo(run.after.idleCpuSeconds - run.before.idleCpuSeconds, 5);
    });

    it('sees assist stalls whole: assisting, and waiting for credit', () => {
      const stalls = mergeHistograms(assistsOnly(run.seen.histograms));
      // CPU time lies inside the stalls; parked and preempted time comes on top, so there is no equality.
      const assistedNs = sum(run.seen.cycles.map((cycle) => cycle.assistNs));
      expect(stalls.sumNs).toBeGreaterThan(0.98 * assistedNs);
      expect(stalls.count).toBe(sum(stalls.buckets.map(([, count]) => count)));
    });

    it('has an event for exactly the stalls of 1 ms and more', () => {
      const stalls = mergeHistograms(assistsOnly(run.seen.histograms));
      const atLeast = (bound: number): number =>
        sum(stalls.buckets.filter(([upper]) => upper >= bound).map(([, count]) => count));
      // The bucket around 1 ms holds stalls of both kinds.
      expect(run.seen.assists.length).toBeLessThanOrEqual(atLeast(1_000_000));
      expect(run.seen.assists.length).toBeGreaterThanOrEqual(atLeast(1_000_000 * (1 + 1 / 16)));
      expect(Math.max(...run.seen.assists.map((stall) => stall.durationNs))).toBe(stalls.maxNs);
      expect(run.seen.assists.every((stall) => stall.durationNs >= 1_000_000)).toBe(true);
    });
  });

  it('gives the goal that a memory limit sets', async () => {
    const limit = 60 << 20;
    const run = await observe(binary, 'auto', { GOGC: '400' }, async (churn) => {
      await churn.ask(`limit ${limit}`);
      await churnFor(churn, 10);
      await churn.ask('gc');
    });
    const last = run.seen.cycles.at(-1);
    expect(last).toMatchObject({ memoryLimitBytes: limit, goalByMemoryLimit: true, userForced: true });
    // The limit's goal moves with whatever else the process maps, so the program reads it a moment later.
    const goal = last?.heapGoalBytes ?? 0;
    expect(Math.abs(goal - run.after.heapGoalBytes)).toBeLessThan(0.1 * run.after.heapGoalBytes);
    expect(goal).toBeLessThan(limit);
  });

  it('has no goal to report when GOGC is off and there is no limit', async () => {
    const run = await observe(binary, 'auto', { GOGC: 'off' }, (churn) => churn.ask('gc'));
    expect(run.seen.cycles).toHaveLength(1);
    expect(run.seen.cycles[0]).toMatchObject({ gcPercent: -1, heapGoalBytes: null, memoryLimitBytes: null });
    expect(run.seen.cycles[0]?.heapMarkedBytes).toBe(run.after.heapLiveBytes);
  });
});
