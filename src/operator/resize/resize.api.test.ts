/** Resizes on the real API server: what it takes, refuses and remembers. No kubelet runs here: what one would say is in the whole cluster's test. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiRig } from '../../../test/support/api-rig.ts';
import { apply, create, get, limitRanges, type Pod, pods, resourceQuotas } from '../../kube/index.ts';
import { resizePod } from './apply.ts';
import { podResize } from './pod-resize.ts';
import { readSurroundings } from './read.ts';

const signal = AbortSignal.timeout(120_000);
let api: ApiRig;

beforeAll(async () => {
  api = await ApiRig.start();
}, 120_000);
afterAll(() => api?.stop());

let made = 0;
/** As the controller of its workload makes it. */
function podWith(resources: object, beside: readonly object[] = [{ name: 'side', image: 'side' }]): Promise<Pod> {
  const containers = [{ name: 'robot', image: 'robot', resources }, ...beside];
  const spec = { automountServiceAccountToken: false, containers };
  const metadata = { name: `p${++made}`, namespace: 'default' };
  return create(api.direct, pods, { metadata, spec }, { fieldManager: 'kube-controller-manager' });
}

const to = (pod: Pod, limit: string, takeOver = false) =>
  resizePod(api.direct, pod, { container: 'robot', limit }, { takeOver, signal });
const fresh = (pod: Pod) => get(api.direct, pods, pod.metadata);
const resourcesOf = async (pod: Pod) => (await fresh(pod)).spec.containers[0]?.resources;

const burstable = { limits: { memory: '128Mi' }, requests: { cpu: '100m', memory: '64Mi' } };
const requested = { limits: { memory: '128Mi' }, requests: { memory: '128Mi' } };

describe('a resize', () => {
  it('changes the limit, leaves the request where it was, and goes back to exactly the value before', async () => {
    const pod = await podWith(burstable);
    expect(await to(pod, '160Mi')).toEqual({ type: 'resized', previousManagers: [] });
    expect(await resourcesOf(pod)).toEqual({ ...burstable, limits: { memory: '160Mi' } });
    await to(await fresh(pod), '128Mi');
    expect(await resourcesOf(pod)).toEqual(burstable);
  });

  it('takes the request along that equals the limit, done twice as well as once, and back', async () => {
    const pod = await podWith(requested);
    for (let times = 0; times < 2; times++) await to(await fresh(pod), '160Mi');
    expect(await resourcesOf(pod)).toEqual({ limits: { memory: '160Mi' }, requests: { memory: '160Mi' } });
    await to(await fresh(pod), '128Mi');
    expect(await resourcesOf(pod)).toEqual(requested);
  });

  it('is asked for, and not in effect before a kubelet says so', async () => {
    const pod = await podWith(burstable);
    const change = { before: '128Mi', after: '160Mi' };
    expect(podResize(pod, 'robot', change).state).toBe('before');
    await to(pod, '160Mi');
    expect(podResize(await fresh(pod), 'robot', change).state).toBe('underway');
    expect(podResize(await fresh(pod), 'robot', { before: '64Mi', after: '128Mi' }).state).toBe('other');
  });

  it('does not take the limit from a manager who resizes too, unless it may', async () => {
    const pod = await podWith(burstable);
    const spec = { containers: [{ name: 'robot', resources: { limits: { memory: '140Mi' } } }] };
    const options = { fieldManager: 'vpa-updater', subresource: 'resize', force: true };
    await apply(api.direct, pods, { metadata: { name: pod.metadata.name, namespace: 'default' }, spec }, options);
    expect(await to(await fresh(pod), '160Mi')).toMatchObject({
      type: 'refused',
      message: expect.stringMatching(/owned by vpa-updater; set actions.fieldConflicts: TakeOver/),
    });
    expect(await to(await fresh(pod), '160Mi', true)).toMatchObject({
      type: 'resized',
      previousManagers: ['vpa-updater'],
    });
  });

  it('is refused with the server’s words where it would change the QoS class', async () => {
    const cpu = { cpu: '1' };
    const pod = await podWith({ limits: { ...cpu, memory: '128Mi' }, requests: { ...cpu, memory: '64Mi' } }, []);
    expect(await to(pod, '64Mi')).toMatchObject({ type: 'refused', message: expect.stringContaining('QOS Class') });
  });

  it('does not touch a pod made anew under the name of the one that was looked at', async () => {
    const pod = await podWith(burstable);
    const other = { ...pod, metadata: { ...pod.metadata, uid: '00000000-0000-0000-0000-000000000000' } };
    expect(await to(other, '160Mi')).toMatchObject({ type: 'refused' });
    expect(await resourcesOf(pod)).toEqual(burstable);
  });

  it('is bounded by what the namespace’s quotas and limit ranges say, which are read with the pod', async () => {
    const pod = await podWith(burstable);
    const metadata = { name: 'bounds', namespace: 'default' };
    await create(api.direct, limitRanges, {
      metadata,
      spec: { limits: [{ type: 'Container', max: { memory: '150Mi' } }] },
    });
    await create(api.direct, resourceQuotas, { metadata, spec: { hard: { 'limits.memory': '10Gi' } } });
    const { limitRanges: ranges, quotas } = await readSurroundings(api.direct, 'default', [], signal);
    expect(ranges).toMatchObject([{ spec: { limits: [{ type: 'Container', max: { memory: '150Mi' } }] } }]);
    expect(quotas).toHaveLength(1);
    expect(await to(pod, '160Mi')).toMatchObject({ type: 'refused', message: expect.stringContaining('150Mi') });
  });
});
