/** Resize through chart, kubelet, operator and agent: the running container gets a larger limit, or people get the reason why not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTransport, get, pods, type Transport } from '../../src/kube/index.ts';
import { resizePod } from '../../src/operator/resize/apply.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ROBOT_NAMESPACE } from '../demo/deploy.ts';
import { deploy, heal, type PodFacts, podOf, remove } from '../effect/heal.ts';
import { tooOften, tooTight } from '../effect/robots.ts';

const inNamespace = `--namespace=${ROBOT_NAMESPACE}`;

export function resizeTests(cluster: () => Cluster): void {
  const { name } = tooTight;
  let transport: Transport;
  let before: PodFacts;

  beforeAll(async () => {
    transport = createTransport({ kubeconfigPath: cluster().kubeconfigPath, userAgent: 'test' });
    // One large robot at a time: three crowd two cores.
    await remove(cluster(), tooOften);
    await deploy(cluster(), tooTight);
    before = await podOf(cluster(), tooTight);
  });
  afterAll(() => transport?.close());

  it('is refused with the number where the team’s quota has no room, and nothing is changed', async () => {
    await cluster().kubectl(['create', 'quota', 'team', inNamespace, '--hard=limits.memory=160Mi']);
    const counted = '--for=jsonpath={.status.used.limits\\.memory}=144Mi';
    await cluster().kubectl(['wait', 'quota/team', inNamespace, counted, '--timeout=30s']);
    const { incident } = await heal(cluster(), tooTight);
    expect(incident.status, incident.status.message).toMatchObject({
      phase: 'Escalated',
      cause: 'MemoryLimitTooTight',
    });
    expect(incident.status.message).toContain('ResourceQuota team (limits.memory) has 16 MiB free');
    expect(incident.status.actions ?? []).toEqual([]);
    expect(await podOf(cluster(), tooTight)).toEqual(before);
    await cluster().kubectl(['delete', 'quota/team', `rgp/${name}`, inNamespace]);
  });

  it('raises the limit of the running container by a step, which heals it', async () => {
    const { incident } = await heal(cluster(), tooTight);
    expect(incident.status, incident.status.message).toMatchObject({ phase: 'Resolved', cause: 'MemoryLimitTooTight' });
    expect(incident.spec.trigger.signal).toBe('memoryShareOfLimit');
    expect(incident.status.actions).toMatchObject([
      { kind: 'Resize', knob: 'MemoryLimit', before: '144Mi', after: '180Mi', result: 'Completed' },
    ]);
    // The kubelet's word of it, of the same container of the same pod.
    expect(before).toMatchObject({ limitInEffect: '144Mi', restarts: 0 });
    expect(await podOf(cluster(), tooTight)).toEqual({ ...before, limit: '180Mi', limitInEffect: '180Mi' });
  });

  it('is refused in the server’s words where no node could ever give as much, and nothing is changed', async () => {
    const pod = await get(transport, pods, { namespace: ROBOT_NAMESPACE, name: before.name });
    const options = { takeOver: true, signal: AbortSignal.timeout(30_000) };
    expect(await resizePod(transport, pod, { container: 'robot', limit: '64Ti' }, options)).toMatchObject({
      type: 'refused',
      message: expect.stringMatching(/enough allocatable resources: memory, requested: 70368744177664/),
    });
    expect(await podOf(cluster(), tooTight)).toMatchObject({ limit: '180Mi', limitInEffect: '180Mi', restarts: 0 });
  });
}
