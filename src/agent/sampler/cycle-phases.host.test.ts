/** Phases and triggers of real cycles, against what the runtime itself prints (GODEBUG=gctrace=1). */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { openProc } from '../../host/index.ts';
import { Churn } from '../../host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  sleep,
  temporaryFolder,
} from '../../host/probe/testing/ground.ts';
import { median } from '../../model/index.ts';
import { hostSampler, localTarget, type SeenCycle } from './index.ts';

const missing = missingGround();
const long = process.env.ROBOTGC_LONG === '1' ? '' : ' (skipped: takes over two minutes, set ROBOTGC_LONG=1)';
const proc = openProc();

interface Traced {
  readonly number: number;
  readonly sweepTerminationMs: number;
  readonly concurrentMarkMs: number;
  readonly markTerminationMs: number;
  readonly forced: boolean;
}

/** `gc 7 @0.123s 4%: 0.012+1.2+0.030 ms clock, … MB goal, … P (forced)`. */
function traced(line: string): Traced[] {
  const found = /^gc (\d+) @[\d.]+s \d+%: ([\d.]+)\+([\d.]+)\+([\d.]+) ms clock,.* P( \(forced\))?$/.exec(line);
  if (!found) return [];
  const [, number, sweep, mark, end, forced] = found;
  return [
    {
      number: Number(number),
      sweepTerminationMs: Number(sweep),
      concurrentMarkMs: Number(mark),
      markTerminationMs: Number(end),
      forced: forced !== undefined,
    },
  ];
}

function build(version: string): string {
  const binary = join(temporaryFolder('phases'), 'churn');
  execFileSync('go', ['build', '-o', binary, '.'], {
    cwd: fileURLToPath(new URL('../../host/probe/testdata/churn', import.meta.url)),
    env: { ...process.env, GOTOOLCHAIN: `go${version}`, GOFLAGS: '-p=2', CGO_ENABLED: '0' },
  });
  return binary;
}

/** Follows one process until `use` is done; `seen` grows meanwhile. */
async function following(pid: number, use: (seen: readonly SeenCycle[]) => Promise<void>): Promise<void> {
  const target = localTarget(pid, 'churn');
  const seen: SeenCycle[] = [];
  let windows = 0;
  const sampler = hostSampler({
    populate: () => new Map([[target.key, { pids: [pid], cgroups: proc.cgroups(pid) ?? null }]]),
    sink: { window: () => (windows += 1), cycle: (_, cycle) => seen.push(cycle) },
  });
  sampler.setTargets([target]);
  const stop = new AbortController();
  const running = sampler.run(stop.signal);
  try {
    await until('it is watched', () => windows > 0, 30_000, 20);
    await use(seen);
  } finally {
    stop.abort();
    await running;
  }
}

describe.skipIf(missing !== '')(`phases of real cycles${missing}`, () => {
  beforeAll(() => {
    buildProbe();
  }, 300_000);
  afterAll(removeTemporaryFolders);

  test.each(['1.22.12', '1.26.8'])(
    'go%s: as the runtime prints them',
    async (version) => {
      await using churn = new Churn(build(version), { GOGC: '60', GODEBUG: 'gctrace=1' });
      await churn.ask('gc');
      await following(churn.pid, async (seen) => {
        const before = await churn.ask('report');
        await churn.ask('start');
        await sleep(3_000);
        await churn.ask('stop');
        const after = await churn.ask('gc');
        await until('all cycles are seen', () => seen.length >= after.numGC - before.numGC, 10_000, 50);
        const lines = churn.gcTrace.flatMap(traced).filter(({ number }) => number > before.numGC);
        expect(seen.length).toBeGreaterThan(20);
        expect(seen).toHaveLength(lines.length);
        expect(seen.map(({ trigger }) => trigger === 'forced')).toEqual(lines.map(({ forced }) => forced));
        // The runtime keeps no more of the others than that they were not forced; nothing of this took two minutes.
        expect(new Set(seen.slice(1).map(({ trigger }) => trigger))).toEqual(new Set(['heap', 'forced']));

        const apartMs = (ours: (cycle: SeenCycle) => number | null, theirs: (line: Traced) => number): number[] =>
          seen.map((cycle, index) => {
            const line = lines[index];
            const ns = ours(cycle);
            if (!line || ns === null) throw new Error(`no phase of cycle ${index}`);
            return Math.abs(ns / 1e6 - theirs(line));
          });
        // The runtime takes its times a little before it begins to stop and before it starts the world: only a thread that loses its
        // processor there makes a difference.
        expect(
          median(
            apartMs(
              (c) => c.sweepTerminationNs,
              (l) => l.sweepTerminationMs,
            ),
          ),
        ).toBeLessThan(0.02);
        expect(
          median(
            apartMs(
              (c) => c.markTerminationNs,
              (l) => l.markTerminationMs,
            ),
          ),
        ).toBeLessThan(0.05);
        expect(
          median(
            apartMs(
              (c) => c.concurrentMarkNs,
              (l) => l.concurrentMarkMs,
            ),
          ),
        ).toBeLessThan(0.2);
      });
    },
    120_000,
  );

  test.skipIf(long !== '')(
    `two minutes without a cycle trigger one${long}`,
    async () => {
      await using churn = new Churn(build('1.26.8'), { GOGC: '100' });
      await churn.ask('gc');
      await following(churn.pid, async (seen) => {
        await churn.ask('gc');
        await until('the clock triggers', () => seen.some(({ trigger }) => trigger === 'time'), 200_000, 500);
        expect(seen.map(({ trigger }) => trigger)).toEqual(['forced', 'time']);
      });
    },
    240_000,
  );
});
