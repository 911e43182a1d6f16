/** What `robotgc watch` says of a program that has to free the machine's memory itself, against what the kernel counted. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { sum } from '../../src/host/probe/testing/buckets.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { measured } from '../support/measured.ts';
import type { SuiteMachine } from './suite.ts';
import { type Programs, runScenario } from './testing.ts';

const Seen = z.object({
  /** Of all threads of the machine, from /proc/vmstat. */
  stalls: z.int(),
  /** As the kernel's own tracer saw them begin and end. */
  recorded: z.array(z.object({ thread: z.string(), seconds: z.number(), moment: z.enum(['begin', 'end']) })),
  /** Of the program. */
  threads: z.array(z.string()),
  windows: z.array(SignalWindow),
  exitCode: z.int(),
  stderr: z.string(),
});

type Seen = z.infer<typeof Seen>;

/** The tracer and the probe look at a clock one after the other; on an emulated processor an interrupt in between takes that long. */
const interruptNs = 5_000_000;

export function directReclaimTests(programs: () => Programs, machine: SuiteMachine | undefined): void {
  let seen: Seen;
  measured(async () => {
    const { hog, robotgc } = programs();
    seen = Seen.parse(await runScenario(machine, 'direct-reclaim', [hog, robotgc, '/vm/disk']));
  });
  const waits = () => seen.windows.flatMap(({ kernelMemory }) => kernelMemory?.reclaimDirect ?? []);

  it('each stall of its threads is counted, none of another program’s', () => {
    const begun = seen.recorded.filter(({ moment }) => moment === 'begin');
    const own = begun.filter(({ thread }) => seen.threads.includes(thread)).length;
    expect(own).toBeGreaterThanOrEqual(100);
    expect(seen.stalls).toBe(begun.length);
    expect(sum(waits().map(({ count }) => count))).toBe(own);
    expect(sum(seen.windows.map(({ kernelMemory }) => kernelMemory?.reclaimMemcg.count ?? 0))).toBe(0);
  });

  it('with the time that it took', () => {
    const stalls = stallsOf(seen.recorded).filter(({ thread }) => seen.threads.includes(thread));
    const tookNs = sum(stalls.map(({ ns }) => ns));
    expect(Math.abs(sum(waits().map(({ sumNs }) => sumNs)) - tookNs)).toBeLessThan(0.1 * tookNs);
    const longestNs = Math.max(...waits().map(({ maxNs }) => maxNs));
    expect(Math.abs(longestNs - Math.max(...stalls.map(({ ns }) => ns)))).toBeLessThan(0.1 * longestNs + interruptNs);
  });

  it('no window is lost', () => {
    expect(seen.windows.map(({ seq }) => seq)).toEqual(seen.windows.map((_, index) => index));
    expect(sum(seen.windows.map(({ lostEvents }) => lostEvents))).toBe(0);
  });
}

function stallsOf(recorded: Seen['recorded']): { thread: string; ns: number }[] {
  const begun = new Map<string, number>();
  return recorded.flatMap(({ thread, seconds, moment }) => {
    if (moment === 'begin') begun.set(thread, seconds);
    const since = begun.get(thread);
    return moment === 'end' && since !== undefined ? [{ thread, ns: (seconds - since) * 1e9 }] : [];
  });
}
