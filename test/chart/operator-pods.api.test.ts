/** What the chart lets the operator do to pods, asked of the real API server in the name of the operator's account. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { run } from '../cluster/run.ts';
import { type Kubectl, kubectlOf } from '../support/robots-api.ts';
import { until } from '../support/until.ts';

describe('the operator’s account, as the chart sets it up', () => {
  let plane: ControlPlane;
  let kubectl: Kubectl;

  beforeAll(async () => {
    plane = await startControlPlane();
    kubectl = kubectlOf(plane);
    const { helm } = await ensureBinaries(['helm']);
    const files = ['rbac', 'pods'].flatMap((name) => ['--show-only', `templates/${name}.yaml`]);
    const chart = join(repositoryDir, 'charts/robotgc');
    const { stdout } = await run([helm, 'template', 'robotgc', chart, '--namespace=robotgc', ...files]);
    await kubectl(['create', 'namespace', 'robotgc']);
    await kubectl(['create', 'namespace', 'robots']);
    await kubectl(['apply', '-f', '-'], stdout);
    await kubectl(
      ['create', '-f', '-'],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'robot', namespace: 'robots', labels: { app: 'robot' }, annotations: { team: 'dispatch' } },
        spec: { containers: [{ name: 'robot', image: 'robot:1' }], automountServiceAccountToken: false },
      }),
    );
    // The server takes up a new admission policy a moment later; what changes nothing it never refuses.
    let tries = 0;
    const refused = async () => (await patched({ metadata: { labels: { tries: `${tries++}` } } })) !== '';
    await until('the policy is in force', refused, 60_000, 500);
  }, 300_000);

  afterAll(async () => {
    await plane?.stop();
  }, 60_000);

  /** @returns what the server complained of; empty when it did not */
  async function patched(patch: object, type = 'merge'): Promise<string> {
    const as = '--as=system:serviceaccount:robotgc:robotgc-operator';
    const args = ['patch', 'pod', 'robot', '--namespace=robots', as, `--type=${type}`, '-p', JSON.stringify(patch)];
    return kubectl(args).then(
      () => '',
      (error: unknown) => String(error),
    );
  }

  it('may set and remove annotations of robotgc.dev', async () => {
    expect(await patched({ metadata: { annotations: { 'robotgc.dev/desired': '{}' } } })).toBe('');
    expect(await patched({ metadata: { annotations: { 'robotgc.dev/desired': null } } })).toBe('');
  });

  it.each<[string, object, string]>([
    ['an image', { spec: { containers: [{ name: 'robot', image: 'evil' }] } }, 'no field of a pod'],
    ['a label', { metadata: { labels: { app: 'other' } } }, 'neither labels'],
    ['a finalizer', { metadata: { finalizers: ['robotgc.dev/x'] } }, 'neither labels'],
    ['somebody else’s annotation', { metadata: { annotations: { team: 'other' } } }, 'no annotation'],
    ['a further annotation', { metadata: { annotations: { 'evil.example/x': 'y' } } }, 'no annotation'],
    ['an annotation by taking it away', { metadata: { annotations: { team: null } } }, 'no annotation'],
  ])('may not change %s', async (_, patch, complaint) => {
    expect(await patched(patch, 'strategic')).toContain(complaint);
  });

  it('may resize and evict a pod, and no more of its parts', async () => {
    const may = (verb: string, part: string) => {
      const as = '--as=system:serviceaccount:robotgc:robotgc-operator';
      const asked = ['auth', 'can-i', verb, 'pods', `--subresource=${part}`, '--namespace=robots', as];
      // Its answer no is an exit code too.
      return kubectl(asked).then(
        (answer) => answer.trim(),
        () => 'no',
      );
    };
    const asked = [may('patch', 'resize'), may('create', 'eviction'), may('create', 'exec'), may('patch', 'status')];
    expect(await Promise.all(asked)).toEqual(['yes', 'yes', 'no', 'no']);
  });

  it('leaves others as free as they were', async () => {
    const patch = JSON.stringify({ metadata: { annotations: { team: 'robots' } } });
    await kubectl(['patch', 'pod', 'robot', '--namespace=robots', '--type=merge', '-p', patch]);
  });
});
