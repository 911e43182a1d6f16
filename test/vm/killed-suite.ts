/** `robotgc watch` is killed: what it had attached goes with it, however this kernel attaches. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { attachPoints } from '../../src/host/probe/testing/points.ts';
import { measured } from '../support/measured.ts';
import type { SuiteMachine } from './suite.ts';
import { type Programs, runScenario } from './testing.ts';

const texts = z.array(z.string());
const Seen = z.object({ before: texts, watched: texts, after: texts, cycles: z.int() });

const breakpoint = 'cc';

export function killedTests(programs: () => Programs, machine: SuiteMachine | undefined): void {
  let seen: z.infer<typeof Seen>;
  let original: string[];
  measured(async () => {
    const { churn, robotgc } = programs();
    const points = attachPoints(churn).filter(({ point }) => point.startsWith('stw') || point === 'cycleEnd');
    original = points.map(({ bytes }) => bytes);
    seen = Seen.parse(await runScenario(machine, 'killed', [churn, robotgc, JSON.stringify(points)]));
  });

  it('after a SIGKILL to the watcher the program’s code is as it was, and it works on', () => {
    expect(seen.before).toEqual(original);
    for (const text of seen.watched) expect(text.slice(0, 2)).toBe(breakpoint);
    expect(seen.after).toEqual(original);
    expect(seen.cycles).toBeGreaterThan(0);
  });
}
