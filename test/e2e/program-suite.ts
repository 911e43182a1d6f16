/** `liveBy: Program`, with the snippet and the pod of docs/cooperation.md: nobody writes into the process, and it is healed in place. */
import { expect, it } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';
import { deploy, gogcOf, type Healing, heal, namespaceOf, type PodFacts, podOf } from '../effect/heal.ts';
import { documentedPod } from '../support/cooperating.ts';
import { until } from '../support/until.ts';
import { tooOften } from './small-robots.ts';
import { type Begun, type Story, told } from './stories.ts';

const following = tooOften({
  name: 'disciple',
  apply: ['Live'],
  policy: { actions: { liveBy: 'Program' } },
  pod: { volumes: documentedPod.volumes },
  container: { image: 'robotgc.dev/follower:local', args: [], volumeMounts: documentedPod.containers[0].volumeMounts },
});

interface Told {
  readonly before: PodFacts;
  readonly healing: Healing;
  readonly after: PodFacts;
  readonly gogc: number;
}

async function tell(cluster: Cluster): Promise<Told> {
  await deploy(cluster, following);
  const before = await podOf(cluster, following);
  const healing = await heal(cluster, following);
  const after = await podOf(cluster, following);
  return { before, healing, after, gogc: await gogcOf(cluster, following, after) };
}

export const program: Story<Told> = { robot: following, tell };

export function programTests(cluster: () => Cluster, begun: () => Begun<Told>): void {
  const story = told(begun);

  it('is healed by what the program reads in its file, in the same container', () => {
    const { before, healing, after, gogc } = story();
    expect(healing.incident.status, healing.incident.status.message).toMatchObject({
      phase: 'Resolved',
      cause: 'GogcTooLow',
    });
    expect(healing.incident.status.actions).toMatchObject([
      { kind: 'Live', knob: 'GOGC', before: '10', after: '100', result: 'Completed' },
    ]);
    expect(healing.live).toMatchObject({ state: 'Applied', gogc: 100 });
    expect(gogc).toBe(100);
    expect(after).toEqual(before);
    expect(before.restarts).toBe(0);
  });

  it('goes back to the program’s own when the policy is deleted', async () => {
    await cluster().kubectl(['delete', `rgp/${following.name}`, namespaceOf(following)]);
    await until(
      'GOGC is its own',
      async () => (await gogcOf(cluster(), following, story().after)) === 10,
      120_000,
      500,
    );
    expect(await podOf(cluster(), following)).toEqual(story().before);
  });
}
