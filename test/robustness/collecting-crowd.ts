/** Many programs that collect on a schedule, all watched: what their runtimes counted and what arrived of it. */
import { sum } from '../../src/host/probe/testing/buckets.ts';
import { Churn, type Report } from '../../src/host/probe/testing/churn.ts';
import { until } from '../support/until.ts';
import { SamplerRig } from './sampler-rig.ts';

export interface CrowdOptions {
  /** Of `churn`. */
  readonly binary: string;
  readonly processes: number;
  /** Of all processes together. */
  readonly cyclesPerSecond: number;
  readonly seconds: number;
}

interface Compared {
  readonly runtime: number;
  readonly probe: number;
}

export interface CrowdResult {
  readonly processes: number;
  readonly cycles: Compared;
  /** Two a cycle. */
  readonly pauses: Compared;
  /** On the average of the whole time. */
  readonly cyclesPerSecond: number;
  /** In the busiest second. */
  readonly mostInOneSecond: number;
  /** Counted by the probe and its client: must be 0 for the rest to be exact. */
  readonly lostEvents: number;
}

/** Programs are started and ended a few at once: hundreds of them beside each other would wait for each other. */
const atOnce = 20;

export async function collectTogether(options: CrowdOptions): Promise<CrowdResult> {
  await using crowd = new AsyncDisposableStack();
  const churns: Churn[] = [];
  while (churns.length < options.processes) {
    const some = Math.min(atOnce, options.processes - churns.length);
    const more = Array.from({ length: some }, () =>
      crowd.use(new Churn(options.binary, { GOMAXPROCS: '1' }, ['-lists', '1'])),
    );
    await Promise.all(more.map((churn) => churn.ask('report')));
    churns.push(...more);
  }
  await using rig = new SamplerRig();
  for (const [i, churn] of churns.entries()) rig.populations.set(`robot-${i}`, [churn.pid]);
  rig.follow();
  const areWatched = (): boolean => [...rig.populations.keys()].every((key) => rig.state(key)?.state === 'Watching');
  await until(`${options.processes} processes are watched`, areWatched, 120_000, 100);
  await rig.nextTicks();

  const periodMs = (1000 * options.processes) / options.cyclesPerSecond;
  const each = Math.ceil((options.seconds * 1000) / periodMs);
  const before = await counted(churns, 'report');
  const skipped = rig.flushes.length;
  const startMs = performance.now();
  await counted(churns, `beat ${each} ${periodMs}ms`);
  const after = await counted(churns, 'rest');
  const seconds = (performance.now() - startMs) / 1000;
  await rig.nextTicks();
  const seen = rig.flushes.slice(skipped);
  const cyclesNs = seen.flatMap(({ cycles }) => cycles.map(({ atNs }) => atNs));
  const ofCollector = seen.flatMap(({ pauses }) => pauses.filter(({ reason }) => reason === 1 || reason === 2));
  return {
    processes: options.processes,
    cycles: { runtime: after.cycles - before.cycles, probe: cyclesNs.length },
    pauses: { runtime: after.pauses - before.pauses, probe: ofCollector.length },
    cyclesPerSecond: (after.cycles - before.cycles) / seconds,
    mostInOneSecond: mostWithin(cyclesNs, 1e9),
    lostEvents: rig.flushes.reduce((lost, flush) => lost + flush.lost, 0),
  };
}

/** What all the runtimes have counted, once they have answered. */
async function counted(churns: readonly Churn[], request: string): Promise<{ cycles: number; pauses: number }> {
  const reports: Report[] = await Promise.all(churns.map((churn) => churn.ask(request)));
  return {
    cycles: sum(reports.map(({ numGC }) => numGC)),
    pauses: sum(reports.map(({ pausesTotal }) => sum(pausesTotal.counts))),
  };
}

/** The largest number of times that lie within so many ns of each other. */
function mostWithin(timesNs: readonly number[], ns: number): number {
  const sorted = timesNs.toSorted((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [i, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= ns) first += 1;
    most = Math.max(most, i - first + 1);
  }
  return most;
}
