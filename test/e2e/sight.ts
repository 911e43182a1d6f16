/** What several suites do to a robot or see of it. */
import { z } from 'zod';
import type { Cluster } from '../cluster/cluster.ts';
import { namespaceOf, type PodFacts, workloadName } from '../effect/heal.ts';
import type { Robot } from '../effect/robots.ts';

/** PATCH is no verb of `kubectl --raw`; pods can be reached from here. */
export async function changeLoad(
  cluster: Cluster,
  robot: Robot,
  { name }: Pick<PodFacts, 'name'>,
  change: Readonly<Record<string, number>>,
): Promise<void> {
  const args = ['get', `pod/${name}`, namespaceOf(robot), '--output=jsonpath={.status.podIP}'];
  const address = (await cluster.kubectl(args)).stdout.trim();
  const answer = await fetch(`http://${address}:8081/control`, { method: 'PATCH', body: JSON.stringify(change) });
  if (!answer.ok) throw new Error(`${name} did not take ${JSON.stringify(change)}: ${await answer.text()}`);
}

const Template = z.object({
  limits: z.object({ memory: z.string() }),
});

export async function limitInTemplate(cluster: Cluster, robot: Robot): Promise<string> {
  const path = '{.spec.template.spec.containers[0].resources}';
  const { stdout } = await cluster.kubectl([
    'get',
    workloadName(robot),
    namespaceOf(robot),
    `--output=jsonpath=${path}`,
  ]);
  return Template.parse(JSON.parse(stdout)).limits.memory;
}

const Env = z.array(z.object({ name: z.string(), value: z.string() }));

export async function envInTemplate(cluster: Cluster, robot: Robot): Promise<Readonly<Record<string, string>>> {
  const path = '{.spec.template.spec.containers[0].env}';
  const { stdout } = await cluster.kubectl([
    'get',
    workloadName(robot),
    namespaceOf(robot),
    `--output=jsonpath=${path}`,
  ]);
  return Object.fromEntries(Env.parse(JSON.parse(stdout)).map(({ name, value }) => [name, value]));
}
