/** Phases and triggers of real cycles, against what the runtime itself prints (GODEBUG=gctrace=1). */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { buildOnce } from '../../gobin/testing/go-toolchain.ts';
import { openProc } from '../../host/index.ts';
import { Churn } from '../../host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  sleep,
  temporaryFolder,
} from '../../host/probe/testing/ground.ts';
import { type CycleTrigger, forcePeriodNs, median, triggerOf } from '../../model/index.ts';
import { hostSampler, localTarget, type SeenCycle } from './index.ts';

const missing = missingGround();
/** Of `testdata/periodic`, after it has shortened it. */
const periodNs = 2e9;
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

/** The program whose runtime forces a cycle each two seconds. */
class Periodic implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(version: '1.22.12' | '1.26.8') {
    const directory = fileURLToPath(new URL('testdata/periodic', import.meta.url));
    // The linker of Go 1.22 lets everything pass, and knows no flag to do so.
    const flags = version === '1.22.12' ? [] : ['-ldflags=-checklinkname=0'];
    this.#child = spawn(buildOnce(version, directory, 'periodic', flags, { CGO_ENABLED: '0' }));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`periodic ended: ${this.#child.stderr.read()}`);
    return value;
  }

  next(): void {
    this.#child.stdin.write('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
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
        ).toBeLessThan(0.05);
        expect(
          median(
            apartMs(
              (c) => c.markTerminationNs,
              (l) => l.markTerminationMs,
            ),
          ),
        ).toBeLessThan(0.1);
        expect(
          median(
            apartMs(
              (c) => c.concurrentMarkNs,
              (l) => l.concurrentMarkMs,
            ),
          ),
        ).toBeLessThan(0.5);
      });
    },
    120_000,
  );

  test.each(['1.22.12', '1.26.8'] as const)(
    'go%s: a time without a cycle triggers one, and so long a time as is known',
    async (version) => {
      await using program = new Periodic(version);
      // Two minutes, as the runtime was built: what windows go by.
      expect(await program.line()).toBe(String(forcePeriodNs));
      await following(program.pid, async (seen) => {
        program.next();
        const triggers = (): (CycleTrigger | null)[] =>
          seen.map((cycle, index) => triggerOf(cycle, seen[index - 1] ?? null, periodNs));
        await until('the clock triggers twice', () => triggers().filter((by) => by === 'time').length >= 2, 60_000, 50);
        program.next();
        await program.line();
        await until('the heap triggers', () => triggers().includes('heap'), 30_000, 50);
        const order = triggers();
        expect(order.slice(0, 3)).toEqual(['forced', 'time', 'time']);
        expect(order.filter((by) => by === 'forced')).toHaveLength(1);
        const [forced, byTime] = seen;
        expect((byTime?.markStartNs ?? 0) - (forced?.atNs ?? 0)).toBeGreaterThan(periodNs);
      });
    },
    120_000,
  );
});
