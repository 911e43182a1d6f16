/** A memory limit that comes down again, on the real API server, by operators that die and by two at once. Kubelet and agent are played. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Death } from '../incidents/testing-faults.ts';
import { Lives } from '../incidents/testing-lives.ts';
import { raised } from '../incidents/testing-worlds.ts';
import { tune } from './testing-tuned.ts';

let lives: Lives;
beforeAll(async () => {
  lives = await Lives.start();
}, 180_000);
afterAll(() => lives?.stop(), 60_000);

/** Made once, raised once by the incident, lowered once; the template is what it was. */
const once = {
  actions: [['Resize', '160Mi', '128Mi', 'Completed']],
  ...{ limit: '128Mi', resizes: 3, generation: 1, gogc: 10 },
};

describe.concurrent('a limit that was raised and is needed no more', () => {
  it('goes back to what the template says, once, wherever the operator is killed', async () => {
    // Written down, resized, said to be asked for, said to be in effect.
    const deaths = [1, 2, 3, 4].flatMap((write): Death[] => [
      { write, when: 'before' },
      { write, when: 'after' },
    ]);
    const lived = await Promise.all(
      deaths.map(async (death) => [
        death,
        await tune(lives, `low-${death.write}-${death.when}`, { death, world: raised }),
      ]),
    );
    expect(lived).toMatchObject(deaths.map((death) => [death, once]));
  }, 240_000);

  it('goes back once when two operators believe to lead', async () => {
    expect(await tune(lives, 'low-led', { leaders: 2, world: raised })).toMatchObject(once);
  }, 240_000);
});
