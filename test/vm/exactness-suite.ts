/** What `robotgc watch` says of a program's collections, against what its own runtime counted. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { countInto, countsBetween, sum } from '../../src/host/probe/testing/buckets.ts';
import { reportSchema } from '../../src/host/probe/testing/churn.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { measured } from '../support/measured.ts';
import type { SuiteMachine } from './suite.ts';
import { type Programs, runScenario } from './testing.ts';

const Pause = z.object({ reason: z.int(), totalNs: z.number(), stoppingNs: z.number() });
const Cycle = z.object({ heapMarkedBytes: z.number(), heapGoalBytes: z.number() });
const Seen = z.object({
  kernel: z.string(),
  probe: z.object({ attach: z.string(), missing: z.array(z.object({ signal: z.string() })) }),
  before: reportSchema,
  after: reportSchema,
  pauses: z.array(Pause),
  cycles: z.array(Cycle),
  windows: z.array(SignalWindow),
  exitCode: z.int(),
});
type Seen = z.infer<typeof Seen>;

const cycles = 60;

/** The tests of one kernel. `machine` undefined: this machine's own. */
export function exactnessTests(programs: () => Programs, machine: SuiteMachine | undefined, attach: RegExp): void {
  exactnessJudged((count) => {
    const { churn, robotgc, probe } = programs();
    return runScenario(machine, 'exactness', [churn, robotgc, String(count), probe]);
  }, attach);
}

/** @param look runs the scenario for so many cycles and gives what it printed */
export function exactnessJudged(look: (cycles: number) => Promise<unknown>, attach: RegExp): void {
  let seen: Seen;
  measured(async () => {
    seen = Seen.parse(await look(cycles));
  });

  it('the probe attaches in the way that this kernel has', () => {
    expect(seen.probe.attach).toMatch(attach);
  });

  it('each pause for the collector falls in the bucket that the runtime counted it in, whole and its stopping part', () => {
    const gc = seen.pauses.filter(({ reason }) => reason === 1 || reason === 2);
    expect(gc.length).toBeGreaterThanOrEqual(2 * cycles);
    const { before, after } = seen;
    const whole = gc.map(({ totalNs }) => totalNs);
    expect(countInto(after.pausesTotal, whole)).toEqual(countsBetween(before.pausesTotal, after.pausesTotal));
    const stopping = gc.map(({ stoppingNs }) => stoppingNs);
    expect(countInto(after.pausesStopping, stopping)).toEqual(
      countsBetween(before.pausesStopping, after.pausesStopping),
    );
  });

  it('so does each pause for ReadMemStats', () => {
    const others = seen.pauses.filter(({ reason }) => reason !== 1 && reason !== 2).map(({ totalNs }) => totalNs);
    expect(others).toHaveLength(20);
    const { before, after } = seen;
    expect(countInto(after.otherPausesTotal, others)).toEqual(
      countsBetween(before.otherPausesTotal, after.otherPausesTotal),
    );
  });

  it('each cycle is told once, the last with the live heap and goal that the runtime reports', () => {
    expect(seen.cycles).toHaveLength(seen.after.numGC - seen.before.numGC);
    expect(seen.cycles.at(-1)).toEqual({
      heapMarkedBytes: seen.after.heapLiveBytes,
      heapGoalBytes: seen.after.heapGoalBytes,
    });
  });

  it('no window and no event is lost', () => {
    expect(seen.exitCode).toBe(0);
    expect(seen.windows.map(({ seq }) => seq)).toEqual(seen.windows.map((_, index) => index));
    expect(sum(seen.windows.map(({ lostEvents }) => lostEvents))).toBe(0);
  });
}
