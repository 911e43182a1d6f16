/**
 * Programs of every supported Go version, built in every way: what the product sees of them by its own plan is what their runtimes count,
 * pause by pause and byte by byte.
 */
import { setPriority } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measured } from '../../../test/support/measured.ts';
import type { AttachPlan } from '../../gobin/index.ts';
import { attachRequest, type ProbeClient, startProbe } from './index.ts';
import { countInto, countsBetween, sum } from './testing/buckets.ts';
import { Churn, type Report } from './testing/churn.ts';
import {
  type BuildMode,
  buildChurnAs,
  buildModesOf,
  type GoVersion,
  supportedToolchains,
} from './testing/churn-builds.ts';
import { buildProbe, missingGround, sleep } from './testing/ground.ts';
import { Observer, type Seen } from './testing/observed.ts';
import { planOf } from './testing/plan.ts';

const missing = missingGround();
const buildTimeoutMs = 900_000;
/** Cycles that allocation brings about, and after them some that are asked for. */
const naturalCycles = 450;
const forcedCycles = 100;
const memoryReadings = 10;
/** Programs that run at the same time. */
const together = 3;

interface Run {
  readonly before: Report;
  readonly after: Report;
  readonly seen: Seen;
}

interface Build {
  readonly name: string;
  readonly binary: string;
  readonly plan: AttachPlan;
}

function buildFor(version: GoVersion, mode: BuildMode): Build {
  const binary = buildChurnAs(version, mode);
  return { name: mode.name, binary, plan: planOf(binary) };
}

/** No collection is under way: the one that was has ended with the one asked for. */
async function atRest(churn: Churn): Promise<Report> {
  await churn.ask('stop');
  await churn.ask('gc');
  await sleep(30);
  return churn.ask('report');
}

async function observe({ binary, plan }: Build, probe: ProbeClient, observer: Observer): Promise<Run> {
  await using churn = new Churn(binary, { GOGC: '10' }, ['-lists', '20', '-goroutines', '4']);
  // They collect without a rest, and who reads what is seen of it shares their processors.
  setPriority(churn.pid, 10);
  const id = `churn${churn.pid}`;
  await probe.attach(attachRequest(id, `/proc/${churn.pid}/exe`, plan));
  await probe.watch(churn.pid, id);
  const before = await atRest(churn);
  await observer.take();
  observer.forget(churn.pid);
  const { numGC } = await churn.ask('start');
  for (let collected = numGC; collected < numGC + naturalCycles; collected = (await churn.ask('report')).numGC) {
    await sleep(50);
    await observer.take();
  }
  for (let i = 0; i < memoryReadings; i++) await churn.ask('memstats');
  await churn.ask('stop');
  await churn.ask(`gcs ${forcedCycles}`);
  const after = await atRest(churn);
  await observer.take();
  await probe.detach(id);
  return { before, after, seen: observer.of(churn.pid) };
}

async function observeAll(version: GoVersion, modes: readonly BuildMode[]): Promise<Map<string, Run>> {
  const builds = modes.map((mode) => buildFor(version, mode));
  await using probe = await startProbe();
  const observer = new Observer(probe);
  const runs = new Map<string, Run>();
  const worker = async (): Promise<void> => {
    for (let build = builds.shift(); build; build = builds.shift()) {
      runs.set(build.name, await observe(build, probe, observer));
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  expect(observer.lost).toBe(0);
  return runs;
}

const isGc = ({ reason }: { reason: number }): boolean => reason === 1 || reason === 2;
/** The runtime counts whole nanoseconds and reports them as seconds. */
const ns = (seconds: number): number => Math.round(seconds * 1e9);

describe.skipIf(missing !== '')(`exactness on programs of every kind${missing}`, () => {
  beforeAll(() => {
    buildProbe();
  });

  describe.each(supportedToolchains)('go%s', (version) => {
    const modes = buildModesOf(version);
    let runs = new Map<string, Run>();
    measured(async () => {
      runs = await observeAll(version, modes);
    }, buildTimeoutMs);
    afterAll(() => {
      for (const [name, { before, after }] of runs) {
        console.info(`go${version} ${name}: ${after.numGC - before.numGC} cycles`);
      }
    });

    describe.each(modes)('$name', ({ name }) => {
      const run = (): Run => {
        const found = runs.get(name);
        if (!found) throw new Error(`${name} did not run`);
        return found;
      };

      it('each pause lies in the bucket in which the runtime counted it', () => {
        const { before, after, seen } = run();
        const pauses = seen.pauses.filter(isGc).map(({ totalNs }) => totalNs);
        expect(after.numGC - before.numGC).toBeGreaterThanOrEqual(500);
        expect(countInto(after.pausesTotal, pauses)).toEqual(countsBetween(before.pausesTotal, after.pausesTotal));
      });

      it('each stopping part, too', () => {
        const { before, after, seen } = run();
        const stopping = seen.pauses.filter(isGc).map(({ stoppingNs }) => stoppingNs ?? Number.NaN);
        expect(countInto(after.pausesStopping, stopping)).toEqual(
          countsBetween(before.pausesStopping, after.pausesStopping),
        );
      });

      it('pauses that are not the collector’s are told apart', () => {
        const { before, after, seen } = run();
        const others = seen.pauses.filter((pause) => !isGc(pause));
        expect(others.filter(({ reason }) => reason === 7)).toHaveLength(memoryReadings);
        expect(
          countInto(
            after.otherPausesTotal,
            others.map(({ totalNs }) => totalNs),
          ),
        ).toEqual(countsBetween(before.otherPausesTotal, after.otherPausesTotal));
      });

      it('every cycle is reported once, and whether it was asked for', () => {
        const { before, after, seen } = run();
        expect(seen.cycles).toHaveLength(after.numGC - before.numGC);
        expect(seen.cycles.filter(({ userForced }) => userForced)).toHaveLength(after.forcedGC - before.forcedGC);
      });

      it('live heap, goal and roots are those of runtime/metrics', () => {
        const { after, seen } = run();
        expect(seen.cycles.at(-1)).toMatchObject({
          gcPercent: 10,
          memoryLimitBytes: null,
          heapMarkedBytes: after.heapLiveBytes,
          heapGoalBytes: after.heapGoalBytes,
          lastStackScanBytes: after.stackScanBytes,
          globalsScanBytes: after.globalsScanBytes,
          procs: after.maxProcs,
        });
      });

      it('CPU time of assists and workers is the runtime’s, to the nanosecond', () => {
        const { before, after, seen } = run();
        const seconds = (pick: 'assistNs' | 'dedicatedNs' | 'fractionalNs' | 'idleNs'): number =>
          sum(seen.cycles.map((cycle) => cycle[pick]));
        expect({
          assist: seconds('assistNs'),
          // The runtime counts fractional workers as dedicated ones.
          dedicated: seconds('dedicatedNs') + seconds('fractionalNs'),
          idle: seconds('idleNs'),
        }).toEqual({
          assist: ns(after.assistCpuSeconds) - ns(before.assistCpuSeconds),
          dedicated: ns(after.dedicatedCpuSeconds) - ns(before.dedicatedCpuSeconds),
          idle: ns(after.idleCpuSeconds) - ns(before.idleCpuSeconds),
        });
      });
    });
  });
});
