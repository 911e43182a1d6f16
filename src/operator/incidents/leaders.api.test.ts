/** Operators whose API server is away, and operators of which one is stopped and goes on, in the middle of incidents; see `crash.api.test.ts`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { isFinal } from '../../api/index.ts';
import { SignalStore } from '../signals.ts';
import { type CourseName, courses, names, Oracles } from './testing-courses.ts';
import { Lives, outcome, type WindowSink } from './testing-lives.ts';
import { operate } from './testing-operators.ts';
import { OperatorProcesses } from './testing-processes.ts';

let lives: Lives;
let oracles: Oracles;

beforeAll(async () => {
  lives = await Lives.start();
  oracles = new Oracles(lives);
}, 180_000);
afterAll(() => lives?.stop(), 60_000);

/** Two incidents of each course, each begun a while after the one before, so that each is in another phase when it comes to that. */
class Begun {
  readonly #kinds: readonly { readonly name: string; readonly course: CourseName }[];
  readonly #over = new AbortController();
  readonly #playing: Promise<void>[] = [];

  constructor(what: string) {
    this.#kinds = names.flatMap((course) => [1, 2].map(() => ({ name: lives.named(`${what}-${course}`), course })));
  }

  async begin(sinks: readonly WindowSink[]): Promise<void> {
    for (const { name, course } of this.#kinds) {
      await courses[course].world.deploy(lives.api.direct, name);
      await lives.deliver(await lives.open(name));
      this.#playing.push(lives.play(name, sinks, courses[course], this.#over.signal));
      await sleep(1500);
    }
    await until('one is verified', async () => (await this.#phases()).includes('Verifying'), 120_000, 200);
  }

  async end(): Promise<void> {
    await until('all are over', async () => (await this.#phases()).every(isFinal), 240_000, 500);
  }

  /** To be called once no operator acts any more. */
  async outcomes(): Promise<{ readonly ended: object[]; readonly undisturbed: object[] }> {
    const ended = await Promise.all(this.#kinds.map(({ name, course }) => lives.ended(name, courses[course].world)));
    this.#over.abort();
    await Promise.all(this.#playing);
    const undisturbed = await Promise.all(this.#kinds.map(({ course }) => oracles.of(course)));
    return { ended: ended.map(outcome), undisturbed: undisturbed.map(outcome) };
  }

  #phases() {
    return Promise.all(this.#kinds.map(async ({ name }) => (await lives.incident(name)).status.phase));
  }
}

/** Beyond the Lease (15 s), the opening of a watch (15 s), a call (30 s) and the silence of a watch (32 to 35 s). */
const AWAY_MS = Number(process.env.ROBOTGC_API_AWAY_S ?? 60) * 1000;

describe('an API server that hangs in the middle of incidents, goes on, and is killed', () => {
  it('costs the leader its Lease, and no incident its end', async () => {
    const signals = [new SignalStore(), new SignalStore()];
    const operators = signals.map((each, i) => operate(lives, { identity: `operator-${i}`, signals: each }));
    const begun = new Begun('away');
    await begun.begin(signals);

    const { apiserver } = lives.api.plane;
    process.kill(apiserver.pid, 'SIGSTOP');
    await sleep(AWAY_MS);
    expect(operators.map(({ leads }) => leads())).toEqual([false, false]);
    // What was sent in vain is carried out now, long after its senders gave up.
    process.kill(apiserver.pid, 'SIGCONT');
    await sleep(1000);
    await apiserver.restart('SIGKILL');

    await begun.end();
    for (const operator of operators) await operator.stop();
    const { ended, undisturbed } = await begun.outcomes();
    expect(ended).toEqual(undisturbed);
    expect(operators.flatMap(({ overruns }) => overruns())).toEqual([]);
  }, 400_000);
});

/** Beyond the Lease, so that for the rest of it another one leads, and the one that wakes believes that it still does. */
const STOPPED_MS = 30_000;

describe('a leader that is stopped in the middle of incidents, and goes on while another one leads', () => {
  it('makes no change once more, and leaves every incident its end', async () => {
    const operators = await OperatorProcesses.start(lives, 2);
    try {
      const begun = new Begun('stopped');
      await begun.begin([operators]);
      const first = await operators.leader();
      if (!first) throw new Error('nobody leads');
      process.kill(first.pid, 'SIGSTOP');
      await sleep(STOPPED_MS);
      const second = await operators.leader();
      expect(second?.name).not.toBe(first.name);
      process.kill(first.pid, 'SIGCONT');

      await begun.end();
      // It has noticed: it ended itself, for the kubelet to start it anew, or follows.
      expect((await operators.leader())?.name).toBe(second?.name);
      await operators.stop();
      const { ended, undisturbed } = await begun.outcomes();
      expect(ended).toEqual(undisturbed);
    } finally {
      await operators.stop();
    }
  }, 400_000);
});
