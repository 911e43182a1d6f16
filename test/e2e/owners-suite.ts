/** StatefulSets and DaemonSets: their own controllers roll out what robotgc writes, and what it takes back. */
import { expect, it } from 'vitest';
import type { RobotGCIncident } from '../../src/api/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { deploy, gogcOf, heal, namespaceOf, type PodFacts, podsOf, remove, workloadName } from '../effect/heal.ts';
import type { HealingCase } from '../effect/robots.ts';
import { templateOf } from './sight.ts';
import { tooOften } from './small-robots.ts';
import { type Begun, type Story, told } from './stories.ts';

const onePodFirst = tooOften({
  name: 'crew',
  kind: 'StatefulSet',
  replicas: 2,
  apply: ['Rollout'],
  policy: { actions: { canary: true } },
});

/** Its program ends at once under another GOGC than the one it was tried with. */
const stubborn = tooOften({
  name: 'hermit',
  kind: 'StatefulSet',
  apply: ['Rollout'],
  // What was taken back is not tried a second time while it is looked at.
  policy: { actions: { budget: { actions: 1 } } },
  env: { GOGC: '10', ONLY_GOGC: '10' },
  container: { image: 'robotgc.dev/follower:local', args: [] },
});

const onEachNode = tooOften({ name: 'warden', kind: 'DaemonSet', apply: ['Rollout'] });

interface Told {
  readonly before: readonly PodFacts[];
  readonly incident: RobotGCIncident;
  readonly after: readonly PodFacts[];
  /** By each program's own word. */
  readonly gogcs: readonly number[];
  readonly template: string | undefined;
  /** Of a StatefulSet. */
  readonly partition: string;
}

const storyOf = (robot: HealingCase): Story<Told> => ({ robot, tell: (cluster) => tell(cluster, robot) });
export const canary = storyOf(onePodFirst);
export const takenBack = storyOf(stubborn);
export const daemon = storyOf(onEachNode);

async function tell(cluster: Cluster, healing: HealingCase): Promise<Told> {
  await deploy(cluster, healing);
  const before = await podsOf(cluster, healing);
  const { incident } = await heal(cluster, healing);
  await cluster.kubectl(['rollout', 'status', workloadName(healing), namespaceOf(healing), '--timeout=120s']);
  const after = await podsOf(cluster, healing);
  const gogcs = await Promise.all(after.map((pod) => gogcOf(cluster, healing, pod)));
  const { gogc: template } = await templateOf(cluster, healing);
  const path = '{.spec.updateStrategy.rollingUpdate.partition}';
  const args = ['get', workloadName(healing), namespaceOf(healing), `--output=jsonpath=${path}`];
  const partition = (await cluster.kubectl(args)).stdout.trim();
  await remove(cluster, healing);
  return { before, incident, after, gogcs, template, partition };
}

export function canaryTests(begun: () => Begun<Told>): void {
  const story = told(begun);

  it('heals a StatefulSet pod by pod: the last one first, the others once it is better', () => {
    const { incident, gogcs, template, partition, after } = story();
    expect(incident.status, incident.status.message).toMatchObject({ phase: 'Resolved', cause: 'GogcTooLow' });
    const change = { kind: 'Rollout', knob: 'GOGC', before: '10', after: '100', result: 'Completed' };
    expect(incident.status.actions).toMatchObject([{ canary: true, ...change }, change]);
    expect(gogcs).toEqual([100, 100]);
    expect(template).toBe('100');
    expect(['', '0']).toContain(partition);

    // When which pod was made is what the partition did, to the second.
    const [others = '', first = ''] = after.map(({ createdAt }) => createdAt);
    const [canaryAt = 0, restAt = 0] = (incident.status.actions ?? []).map(({ at }) => wholeSeconds(at));
    expect(Date.parse(first)).toBeGreaterThanOrEqual(canaryAt);
    expect(Date.parse(first)).toBeLessThan(restAt);
    expect(Date.parse(others)).toBeGreaterThanOrEqual(restAt);
  });
}

export function takenBackTests(begun: () => Begun<Told>): void {
  const story = told(begun);

  it('takes back what the pods of a StatefulSet do not start with, and frees it from the pod that it would wait for', () => {
    const { before, incident, after, gogcs, template } = story();
    expect(incident.status, incident.status.message).toMatchObject({ phase: 'RolledBack', cause: 'GogcTooLow' });
    expect(incident.status.actions).toMatchObject([
      { kind: 'Rollout', knob: 'GOGC', before: '10', after: '100' },
      { kind: 'Rollback', undoes: 'Rollout', knob: 'GOGC', before: '100', after: '10', result: 'Completed' },
    ]);
    expect(incident.status.message).toMatch(/hermit-0/);
    expect(gogcs).toEqual([10]);
    expect(template).toBe('10');
    expect(after).toMatchObject([{ name: 'hermit-0', restarts: 0 }]);
    expect(after[0]?.uid).not.toBe(before[0]?.uid);
  });
}

export function daemonTests(begun: () => Begun<Told>): void {
  const story = told(begun);

  it('heals a DaemonSet by its own rollout', () => {
    const { before, incident, after, gogcs, template } = story();
    expect(incident.status, incident.status.message).toMatchObject({ phase: 'Resolved', cause: 'GogcTooLow' });
    expect(incident.status.actions).toMatchObject([
      { kind: 'Rollout', knob: 'GOGC', before: '10', after: '100', owner: { kind: 'DaemonSet' }, result: 'Completed' },
    ]);
    expect(gogcs).toEqual([100]);
    expect(template).toBe('100');
    expect(after[0]?.uid).not.toBe(before[0]?.uid);
  });
}

function wholeSeconds(at: string): number {
  return Math.floor(Date.parse(at) / 1000) * 1000;
}
