/** The agent is killed while it watches a program under load, and started again: what stays behind, what is counted, what is missing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { robotgc } from '../../src/agent/testing/cli.ts';
import { startProbe } from '../../src/host/probe/index.ts';
import { sum } from '../../src/host/probe/testing/buckets.ts';
import { atRest, buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import { buildProbe, missingGround, removeTemporaryFolders, sleep } from '../../src/host/probe/testing/ground.ts';
import { attachPoints } from '../../src/host/probe/testing/points.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { until } from '../support/until.ts';
import { childOf, isRunning } from './children.ts';
import { count, kernelObjectsOf, remaining, textOf } from './kernel-objects.ts';

const missing = missingGround();
const breakpoint = 'cc';
const Pause = z.object({ type: z.literal('pause'), reason: z.int(), startNs: z.number() });

describe.skipIf(missing !== '')(`the agent is killed under load${missing}`, () => {
  let binary = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
  });
  afterAll(removeTemporaryFolders);

  const watch = (churn: Churn) => robotgc(['watch', '--pid', String(churn.pid), '-o', 'ndjson']);
  const windowsOf = (run: ReturnType<typeof watch>): SignalWindow[] =>
    run.objects().flatMap((object) => (object.type === 'window' ? [SignalWindow.parse(object)] : []));
  const gcPausesOf = (run: ReturnType<typeof watch>): number[] =>
    run
      .objects()
      .flatMap((object) => Pause.safeParse(object).data ?? [])
      .filter(({ reason }) => reason === 1 || reason === 2)
      .map(({ startNs }) => startNs);
  const cyclesIn = async (churn: Churn, ms: number): Promise<number> => {
    const before = (await churn.ask('report')).numGC;
    await sleep(ms);
    return (await churn.ask('report')).numGC - before;
  };

  it.each(['alone', 'together with its probe'])('%s: nothing stays attached, the program works on', async (how) => {
    const points = attachPoints(binary).filter(
      ({ point }) => point === 'stwEntry' || point === 'stwRet' || point === 'cycleEnd',
    );
    const original = points.map(({ bytes }) => bytes);
    await using churn = new Churn(binary);
    await churn.ask('start');
    const alone = await cyclesIn(churn, 2_000);
    const run = watch(churn);
    await run.untilStdout(/"seq":1,/);
    const agent = run.child.pid ?? 0;
    const probe = await childOf(agent, 'robotgc-probe');
    const held = kernelObjectsOf(probe);
    expect(held.link.length).toBeGreaterThan(3);
    expect(held.prog.length).toBeGreaterThan(3);
    // In a storm of assists their points are put in place and taken out again.
    expect(remaining(held).prog).toEqual(held.prog);
    expect(remaining(held).link.length).toBeGreaterThan(3);
    for (const text of textOf(churn.pid, binary, points)) expect(text.slice(0, 2)).toBe(breakpoint);

    run.child.kill('SIGKILL');
    if (how !== 'alone') process.kill(probe, 'SIGKILL');
    await run.exited;
    await until('the probe has gone too', () => !isRunning(probe), 3_000);
    await until('the kernel has let go of everything', () => count(remaining(held)) === 0, 5_000, 50);
    expect(textOf(churn.pid, binary, points)).toEqual(original);
    // What the machine gives it varies; a program that was harmed stands still.
    expect(await cyclesIn(churn, 2_000)).toBeGreaterThan(alone / 3);
  });

  it('and started again: every pause is seen once, but for those of the gap, and the gap shows', async () => {
    await using churn = new Churn(binary);
    await churn.ask('report');
    // Sees everything, all the time.
    await using witness = await startProbe();
    await witness.attach({ id: 'churn', file: `/proc/${churn.pid}/exe`, points: attachPoints(binary) });
    await witness.watch(churn.pid, 'churn');
    const before = await atRest(churn);
    await witness.flush();

    const first = watch(churn);
    await first.untilStdout(/"type":"window"/);
    await churn.ask('start');
    await first.untilStdout(/"seq":4,/);
    first.child.kill('SIGKILL');
    await first.exited;
    await sleep(1_500);
    const second = watch(churn);
    await second.untilStdout(/"seq":2,/);
    const after = await atRest(churn);
    await sleep(2_200);
    second.child.kill('SIGINT');
    expect(await second.exited).toBe(0);

    const { pauses, lost } = await witness.flush();
    const all = pauses.filter(({ reason }) => reason === 1 || reason === 2).map(({ startNs }) => startNs);
    expect(lost).toBe(0);
    expect(all.length).toBe(sum(after.pausesTotal.counts) - sum(before.pausesTotal.counts));
    const [seenFirst, seenSecond] = [gcPausesOf(first), gcPausesOf(second)];
    const seen = new Set([...seenFirst, ...seenSecond]);
    expect(seen.size).toBe(seenFirst.length + seenSecond.length);
    const inGap = all.filter((startNs) => !seen.has(startNs));
    expect(seen.size + inGap.length).toBe(all.length);
    const [lastBefore, firstAfter] = [Math.max(...seenFirst), Math.min(...seenSecond)];
    expect(seenFirst.length).toBeGreaterThan(10);
    expect(seenSecond.length).toBeGreaterThan(10);
    expect(inGap.length).toBeGreaterThan(0);
    expect(inGap.filter((startNs) => startNs <= lastBefore || startNs >= firstAfter)).toEqual([]);

    const [old, anew] = [windowsOf(first), windowsOf(second)];
    expect(sum(anew.map(({ gcPause }) => gcPause.count))).toBeLessThanOrEqual(seenSecond.length);
    const [resumed, ...later] = anew;
    expect(resumed?.seq).toBe(0);
    expect(Date.parse(resumed?.observedFrom ?? '')).toBeGreaterThan(Date.parse(old.at(-1)?.endedAt ?? '') + 1_500);
    expect(later.map(({ observedFrom }) => observedFrom)).toEqual(later.map(() => undefined));
    expect(old.map(({ observedFrom }) => observedFrom !== undefined)).toEqual(old.map((_, i) => i === 0));
  });
});
