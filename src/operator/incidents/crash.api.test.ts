/**
 * Operators that die, sleep, see late or in double, and workloads and policies that go meanwhile, on the real API server: the oracle is the
 * life of an incident that nothing disturbed. What controllers, kubelet and agent do is played, see `testing-worlds.ts`.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FATES, unsteady } from '../../../test/support/unsteady-watch.ts';
import { pods, policies, remove } from '../../kube/index.ts';
import { tune } from '../tuning/testing-tuned.ts';
import { type CourseName, courses, names, Oracles } from './testing-courses.ts';
import type { Death, Sleep } from './testing-faults.ts';
import { type Course, type Disturbance, Lives, outcome, type Trouble } from './testing-lives.ts';
import { kept, namespace } from './testing-worlds.ts';

let lives: Lives;
let oracles: Oracles;

beforeAll(async () => {
  lives = await Lives.start();
  oracles = new Oracles(lives);
}, 180_000);
afterAll(() => lives?.stop(), 60_000);

const expected: Readonly<Record<CourseName, object>> = {
  heals: { phase: 'Resolved', gogc: '100', generation: 2 },
  'is-worse': { phase: 'RolledBack', gogc: '10', generation: 3 },
  room: {
    phase: 'RolledBack',
    actions: [
      { kind: 'Resize', knob: 'MemoryLimit', before: '128Mi', after: '160Mi', result: 'Completed' },
      { kind: 'Live', knob: 'GOGC', before: '10', after: '100', result: 'Completed' },
      { kind: 'Rollback', knob: 'GOGC', before: '100', after: '10', result: 'Completed' },
      { kind: 'Rollback', knob: 'MemoryLimit', before: '160Mi', after: '128Mi', result: 'Completed' },
    ],
    ...{ gogc: 10, limit: '128Mi', generation: 1, resizes: 3 },
  },
};

const fates = ['late', 'twice', 'shuffled'] as const;
const moments = ['Acting', 'Verifying'] as const;

function hasBegun(phase: (typeof moments)[number]): Disturbance['when'] {
  return (status) => status.phase === phase && status.actions?.some(({ result }) => result !== 'Pending') === true;
}

const isGoingBack: Disturbance['when'] = ({ actions }) => actions?.at(-1)?.kind === 'Rollback';

/** Each as the undisturbed life of its course; told together, with what was done to it. */
async function allAsUndisturbed(troubles: readonly (readonly [name: string, CourseName, Trouble])[]): Promise<void> {
  const lived = await Promise.all(
    troubles.map(async ([name, course, trouble]) => [name, outcome(await lives.live(name, courses[course], trouble))]),
  );
  const undisturbed = await Promise.all(
    troubles.map(async ([name, course]) => [name, outcome(await oracles.of(course))] as const),
  );
  expect(lived).toEqual(undisturbed);
}

describe.concurrent.each(names)('an incident of the course %s', (course) => {
  it('ends the same wherever the operator was killed, with one remedy and the previous value right', async () => {
    const oracle = await oracles.of(course);
    expect(outcome(oracle)).toMatchObject(expected[course]);
    const writes = oracle.writes.map((_, i) => i + 1);
    expect(writes.length).toBeGreaterThanOrEqual(8);
    // Killed before a write is killed after the one before it; up to the first change all courses are the same.
    const deaths =
      course === 'room'
        ? writes.slice(4).map((write): Death => ({ write, when: 'after' }))
        : writes.flatMap((write): Death[] => [
            { write, when: 'before' },
            { write, when: 'after' },
          ]);
    await allAsUndisturbed(
      deaths.map((death) => [`${course}-dead-${death.write}-${death.when}`, course, { death }] as const),
    );
  }, 240_000);

  it('ends the same when two operators believe to lead, from its first to its last moment', async () => {
    await allAsUndisturbed([1, 2].map((n) => [`${course}-led-${n}`, course, { leaders: 2 }] as const));
  }, 240_000);

  it('ends the same when a leader sleeps in the middle of a deed, and wakes when another one has ended the incident', async () => {
    const { writes } = await oracles.of(course);
    const deeds = writes.flatMap((path, i) => (path.includes('/robotgcincidents/') ? [] : [i + 1]));
    const sleeps = deeds.flatMap((write): Sleep[] => [
      { write, before: 'write' },
      { write: write - 1, before: 'read' },
    ]);
    await allAsUndisturbed(
      sleeps.map((each) => [`${course}-slept-${each.write}-${each.before}`, course, { sleep: each }] as const),
    );
  }, 240_000);

  it('ends the same when the operator sees what happens late, twice, or in another order', async () => {
    const seen = await Promise.all(
      fates.map(async (fate) => {
        const transport = unsteady(lives.api.direct, FATES[fate]);
        const caches = lives.watch(transport);
        await lives.synced(caches);
        return { fate, transport, caches };
      }),
    );
    await allAsUndisturbed(seen.map(({ fate, caches }) => [`${course}-saw-${fate}`, course, { caches }] as const));
    for (const { transport } of seen) expect(transport.disturbed).toBeGreaterThan(10);
  }, 240_000);

  it('ends the same when its robot is started anew while it is acted on, and while that is verified', async () => {
    const deletePod = (name: string) =>
      remove(lives.api.direct, pods, { namespace, name: `${name}-0` }, { gracePeriodSeconds: 0 });
    const ended = await Promise.all(
      moments.map((phase) =>
        lives.live(`${course}-anew-in-${phase.toLowerCase()}`, courses[course], {
          disturbance: { when: hasBegun(phase), what: deletePod },
        }),
      ),
    );
    const oracle = await oracles.of(course);
    for (const life of ended) {
      if (course !== 'room') expect(outcome(life)).toEqual(outcome(oracle));
      // The new pod has the limit of its template: what was to follow upon the room is left undone, or taken back with it.
      else expect(outcome(life)).toMatchObject({ phase: 'RolledBack', gogc: 10, limit: '128Mi', generation: 1 });
      const { actions = [] } = life.incident.status;
      expect(actions.map(({ result }) => result)).toEqual(actions.map(() => 'Completed'));
      const changes = actions.filter(({ kind }) => kind !== 'Rollback').map(({ knob }) => knob);
      expect(changes).toEqual([...new Set(changes)]);
    }
  }, 240_000);

  it('takes back what nobody has judged when its policy is deleted, also while it is being taken back', async () => {
    const rolledBack = course === 'room' ? 'room' : 'is-worse';
    const gone = (moment: string, when: Disturbance['when']) =>
      lives.live(`${course}-gone-${moment}`, courses[course], {
        disturbance: { when, what: (name) => remove(lives.api.direct, policies, { namespace, name }) },
      });
    const ended = await Promise.all([
      gone('verifying', hasBegun('Verifying')),
      ...(course === 'heals' ? [] : [gone('back', isGoingBack)]),
    ]);
    const oracle = outcome(await oracles.of(rolledBack));
    for (const life of ended) expect(outcome(life)).toEqual(oracle);
  }, 240_000);
});

describe.concurrent('an incident whose limit is kept in the template', () => {
  it('has it written there once, after the verification, wherever the operator was killed', async () => {
    const course: Course = { world: kept, share: 0.02 };
    const undisturbedLife = await lives.live('kept-undisturbed', course);
    const oracle = outcome(undisturbedLife);
    const change = { result: 'Completed' };
    expect(oracle).toEqual({
      phase: 'Resolved',
      actions: [
        { ...change, kind: 'Resize', knob: 'MemoryLimit', before: '128Mi', after: '160Mi' },
        { ...change, kind: 'Live', knob: 'GOGC', before: '10', after: '100' },
        { ...change, kind: 'Rollout', knob: 'MemoryLimit', before: '128Mi', after: '160Mi' },
      ],
      // A pod that has not been resized, of a template that was changed once.
      ...{ gogc: 100, limit: '160Mi', generation: 2, resizes: 1 },
    });
    // The record, the template, what became of it, the end: up to there its course is that of others.
    const deaths = [3, 2, 1, 0].map((left): Death => ({ write: undisturbedLife.writes.length - left, when: 'after' }));
    const lived = await Promise.all(
      deaths.map(async (death) => [death, outcome(await lives.live(`kept-${death.write}`, course, { death }))]),
    );
    expect(lived).toEqual(deaths.map((death) => [death, oracle]));
  }, 240_000);
});

describe.concurrent('continuous tuning', () => {
  const once = { actions: [['Live', '10', '100', 'Completed']], gogc: 100, generation: 1 };

  it('makes one change wherever the operator was killed, with the previous value right', async () => {
    // Written down, asked for, said to be asked for, said to be in effect.
    const deaths = [1, 2, 3, 4].flatMap((write): Death[] => [
      { write, when: 'before' },
      { write, when: 'after' },
    ]);
    const lived = await Promise.all(
      deaths.map(async (death) => [death, await tune(lives, `tuned-${death.write}-${death.when}`, { death })]),
    );
    expect(lived).toMatchObject(deaths.map((death) => [death, once]));
  }, 240_000);

  it('makes one change when two operators believe to lead', async () => {
    const lived = await Promise.all([1, 2, 3].map((n) => tune(lives, `tuned-led-${n}`, { leaders: 2 })));
    expect(lived).toMatchObject(lived.map(() => once));
  }, 240_000);
});
