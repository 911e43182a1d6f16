/** Live through chart, kubelet, operator and agent: the running process is changed, and nothing else. */
import { beforeAll, expect, it } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';
import { PRODUCT_NAMESPACE, ROBOT_NAMESPACE } from '../demo/deploy.ts';
import { deploy, gogcOf, type Healing, heal, type PodFacts, podOf } from '../effect/heal.ts';
import { tooOften } from '../effect/robots.ts';

export function liveTests(cluster: () => Cluster): void {
  const { name } = tooOften;
  let before: PodFacts;
  let healing: Healing;

  beforeAll(async () => {
    await deploy(cluster(), tooOften);
    before = await podOf(cluster(), tooOften);
    healing = await heal(cluster(), tooOften);
  });

  it('heals the robot: GOGC is in effect by the program’s own word, and the signals agree', async () => {
    const { incident, live } = healing;
    expect(incident.status, incident.status.message).toMatchObject({ phase: 'Resolved', cause: 'GogcTooLow' });
    expect(incident.status.actions).toMatchObject([
      { kind: 'Live', knob: 'GOGC', before: '10', after: '100', result: 'Completed' },
    ]);
    expect(incident.status.verification).toMatchObject({ before: { gogc: 10 }, after: { gogc: 100 } });
    expect(live).toMatchObject({ state: 'Applied', gogc: 100 });
    expect(await gogcOf(cluster(), tooOften, before)).toBe(100);
  });

  it('starts nothing anew and leaves the template as it is: the same container of the same pod', async () => {
    expect(before.restarts).toBe(0);
    expect(await podOf(cluster(), tooOften)).toEqual(before);
    const { stdout } = await cluster().kubectl([
      'get',
      `deployment/${name}`,
      `--namespace=${ROBOT_NAMESPACE}`,
      '--output=jsonpath={.spec.template.spec.containers[0].env}',
    ]);
    expect(JSON.parse(stdout)).toEqual([{ name: 'GOGC', value: '10' }]);
  });

  it('puts the program’s own value back when the policy is deleted', async () => {
    await cluster().kubectl(['delete', `rgp/${name}`, `--namespace=${ROBOT_NAMESPACE}`]);
    await expect.poll(() => gogcOf(cluster(), tooOften, before), { timeout: 30_000, interval: 250 }).toBe(10);
    expect(await podOf(cluster(), tooOften)).toEqual(before);
  });

  it('takes one capability more, and only since it was asked for', async () => {
    const { stdout } = await cluster().kubectl([
      'get',
      'daemonset/robotgc-agent',
      `--namespace=${PRODUCT_NAMESPACE}`,
      '--output=jsonpath={.spec.template.spec.containers[0].securityContext.capabilities.add}',
    ]);
    expect(JSON.parse(stdout)).toEqual(['BPF', 'PERFMON', 'SYS_PTRACE', 'DAC_READ_SEARCH', 'DAC_OVERRIDE']);
  });
}
