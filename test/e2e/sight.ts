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

const Container = z.object({
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  resources: z.object({ limits: z.object({ memory: z.string() }) }),
});

/** What later pods will have. */
export async function templateOf(
  cluster: Cluster,
  robot: Robot,
): Promise<{ readonly gogc: string | undefined; readonly memory: string }> {
  const path = '--output=jsonpath={.spec.template.spec.containers[0]}';
  const { stdout } = await cluster.kubectl(['get', workloadName(robot), namespaceOf(robot), path]);
  const { env, resources } = Container.parse(JSON.parse(stdout));
  return { gogc: env.find(({ name }) => name === 'GOGC')?.value, memory: resources.limits.memory };
}
