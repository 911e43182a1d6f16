/** `persist`: a limit that was raised in place and verified goes into the template too; where its rollout fails, everything goes back. */
import { expect, it } from 'vitest';
import type { RobotGCIncident } from '../../src/api/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { deploy, heal, type PodFacts, podOf, remove } from '../effect/heal.ts';
import type { HealingCase } from '../effect/robots.ts';
import { templateOf } from './sight.ts';
import { robot, tooTight } from './small-robots.ts';
import { type Begun, type Story, told } from './stories.ts';

const persisting = tooTight({ name: 'keeper', apply: ['Resize'], policy: { actions: { persist: true } } });

/** Its pods need a ConfigMap that somebody removes: those there are serve on, and there are no later ones. */
const needy = tooTight({
  name: 'lodger',
  apply: ['Resize'],
  // Two changes and no third: what was taken back is not tried again while it is looked at.
  policy: { actions: { persist: true, budget: { actions: 2 } } },
  container: { ...robot({ sessions: 1000, transitions: 1200 }), envFrom: [{ configMapRef: { name: 'lodger' } }] },
});

interface Told {
  readonly before: PodFacts;
  readonly incident: RobotGCIncident;
  readonly after: PodFacts;
  readonly template: string;
}

export const persist: Story<Told> = {
  robot: persisting,
  tell: async (cluster) => {
    await deploy(cluster, persisting);
    return healed(cluster, persisting);
  },
};

export const failedPersist: Story<Told> = {
  robot: needy,
  tell: async (cluster) => {
    const metadata = { name: needy.name, namespace: needy.namespace };
    const map = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await cluster.kubectl(['apply', '-f', '-'], map);
    await deploy(cluster, needy);
    await cluster.kubectl(['delete', '-f', '-'], map);
    return healed(cluster, needy);
  },
};

async function healed(cluster: Cluster, healing: HealingCase): Promise<Told> {
  const before = await podOf(cluster, healing);
  const { incident } = await heal(cluster, healing);
  const after = await podOf(cluster, healing);
  const { memory: template } = await templateOf(cluster, healing);
  await remove(cluster, healing);
  return { before, incident, after, template };
}

export function persistTests(begun: () => Begun<Told>): void {
  const story = told(begun);

  it('writes the verified limit to the template, and later pods have it', () => {
    const { before, incident, after, template } = story();
    expect(incident.status, incident.status.message).toMatchObject({ phase: 'Resolved', cause: 'MemoryLimitTooTight' });
    const change = { knob: 'MemoryLimit', before: '48Mi', after: '72Mi', result: 'Completed' };
    expect(incident.status.actions).toMatchObject([
      { kind: 'Resize', ...change },
      { kind: 'Rollout', persists: true, ...change },
    ]);
    expect(template).toBe('72Mi');
    expect(after.uid).not.toBe(before.uid);
    expect(after).toMatchObject({ limit: '72Mi', limitInEffect: '72Mi', restarts: 0 });
  });
}

export function failedPersistTests(begun: () => Begun<Told>): void {
  const story = told(begun);

  it('goes back as a whole where no pod can be made from that template: template first, then the running pod', () => {
    const { before, incident, after, template } = story();
    expect(incident.status, incident.status.message).toMatchObject({
      phase: 'RolledBack',
      cause: 'MemoryLimitTooTight',
    });
    const back = { kind: 'Rollback', knob: 'MemoryLimit', before: '72Mi', after: '48Mi', result: 'Completed' };
    expect(incident.status.actions).toMatchObject([
      { kind: 'Resize', after: '72Mi', result: 'Completed' },
      { kind: 'Rollout', after: '72Mi', persists: true },
      { undoes: 'Rollout', ...back },
      { undoes: 'Resize', ...back },
    ]);
    expect(incident.status.message).toContain('CreateContainerConfigError');
    expect(template).toBe('48Mi');
    // The very container that served all the time.
    expect(after).toEqual(before);
  });
}
