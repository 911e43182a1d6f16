/** A leak: time is bought for people, once; then the pod is made anew, where the team says so. */
import { expect, it } from 'vitest';
import type { RobotGCIncident } from '../../src/api/index.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { deploy, over, type PodFacts, podOf, policyNow, remove, setPolicy } from '../effect/heal.ts';
import type { HealingCase } from '../effect/robots.ts';
import { until } from '../support/until.ts';
import { changeLoad, templateOf } from './sight.ts';
import { FLEET_NAMESPACE, robot } from './small-robots.ts';
import { type Begun, type Story, told } from './stories.ts';

/**
 * GOMEMLIMIT keeps what is in use below the memory limit, while ever more of it is live. What is live takes longer than a minute, of which a
 * leak must be seen, to fill half of it, and as long again to fill all of it.
 */
const leaking: HealingCase = {
  name: 'hoarder',
  namespace: FLEET_NAMESPACE,
  env: { GOGC: '100', GOMEMLIMIT: '182MiB' },
  memory: '192Mi',
  cpu: '20m',
  apply: ['Live', 'Resize', 'Restart'],
  thresholds: { memoryShareOfLimit: '85%' },
  memoryLimit: { max: '1Gi', goMemLimit: '95%' },
  container: robot({ sessions: 300, transitions: 1200 }),
};
const leakBytesPerSecond = 1_000_000;
/** Of which the last has to find that the memory is gone. */
const mostIncidents = 6;

export interface LeakStory {
  readonly before: PodFacts;
  readonly bought: RobotGCIncident;
  readonly inBetween: PodFacts;
  readonly restarted: RobotGCIncident;
  readonly after: PodFacts;
  readonly template: string;
}

async function tell(cluster: Cluster): Promise<LeakStory> {
  await deploy(cluster, leaking);
  const before = await podOf(cluster, leaking);
  const policy = await setPolicy(cluster, leaking);
  const isWatched = async () =>
    (await policyNow(cluster, leaking)).status.containers?.some(({ state }) => state === 'Watching') ?? false;
  await until('the agent watches the robot', isWatched, 60_000, 250);
  await changeLoad(cluster, leaking, before, { leakBytesPerSecond });
  const { incident: bought } = await over(cluster, leaking, policy);
  const inBetween = await podOf(cluster, leaking);
  const restarted = await nextWithPlan(cluster, policy);
  const after = await podOf(cluster, leaking);
  const { memory: template } = await templateOf(cluster, leaking);
  await remove(cluster, leaking);
  return { before, bought, inBetween, restarted, after, template };
}

/** Those in between, if any, find that the memory that was bought still lasts, and that there is nothing to do yet. */
async function nextWithPlan(cluster: Cluster, policy: string): Promise<RobotGCIncident> {
  for (let nth = 1; ; nth++) {
    const { incident } = await over(cluster, leaking, policy, { nth });
    if (incident.status.plan?.kind !== 'None' || nth === mostIncidents - 1) return incident;
  }
}

export const leak: Story<LeakStory> = { robot: leaking, tell };

export function leakTests(begun: () => Begun<LeakStory>): void {
  const story = told(begun);

  it('is told to people, and more memory buys them time: in the running pod, GOMEMLIMIT with it', () => {
    const { before, bought, inBetween } = story();
    expect(bought.status, bought.status.message).toMatchObject({
      phase: 'Escalated',
      cause: 'Leak',
      plan: { runbook: 'BuyTime' },
    });
    expect(bought.status.actions).toMatchObject([
      { kind: 'Resize', knob: 'MemoryLimit', before: '192Mi', after: '240Mi', result: 'Completed' },
      { kind: 'Live', knob: 'GOMEMLIMIT', result: 'Completed' },
    ]);
    expect(bought.status.message).toContain('buys time; Leak is left for people');
    expect(before).toMatchObject({ limitInEffect: '192Mi', restarts: 0 });
    expect(inBetween).toEqual({ ...before, limit: '240Mi', limitInEffect: '240Mi' });
  });

  it('ends in an eviction once that memory is gone too: another pod serves, as its template says', () => {
    const { before, restarted, after, template } = story();
    expect(restarted.spec.pod.uid).toBe(before.uid);
    expect(restarted.status, restarted.status.message).toMatchObject({
      phase: 'Escalated',
      cause: 'Leak',
      plan: { runbook: 'StartAnew' },
    });
    expect(restarted.status.actions).toMatchObject([
      { kind: 'Restart', knob: 'Pod', before: before.name, result: 'Completed' },
    ]);
    expect(after.uid).not.toBe(before.uid);
    expect(after).toMatchObject({ limit: '192Mi', limitInEffect: '192Mi', restarts: 0 });
    expect(template).toBe('192Mi');
  });

  it('took its profiles before the pod was gone', () => {
    const { restarted } = story();
    const [restart] = restarted.status.actions ?? [];
    expect(restarted.status.bundle).toBeDefined();
    expect(Date.parse(restarted.status.capture?.endedAt ?? '')).toBeLessThan(Date.parse(restart?.at ?? ''));
  });
}
