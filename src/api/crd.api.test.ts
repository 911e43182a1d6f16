import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBinaries } from '../../test/cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../test/cluster/control-plane.ts';
import { clusterEnv } from '../../test/cluster/kubectl.ts';
import { run } from '../../test/cluster/run.ts';
import { untilEstablished } from '../../test/support/robots-api.ts';
import { checkPolicy } from './check.ts';
import { BAD_POLICIES, FULL_SPEC, GOOD_SPECS, MINIMAL_SPEC } from './policy-cases.ts';

const crds = fileURLToPath(new URL('../../crds', import.meta.url));
const examples = fileURLToPath(new URL('../../examples', import.meta.url));

let plane: ControlPlane;
let kubectlPath: string;

async function kubectl(args: readonly string[], object?: unknown) {
  const input = object === undefined ? {} : { input: JSON.stringify(object) };
  const options = { env: clusterEnv(plane.kubeconfigPath), okCodes: [0, 1], ...input };
  return run([kubectlPath, '--kubeconfig', plane.kubeconfigPath, ...args], options);
}

beforeAll(async () => {
  [plane, { kubectl: kubectlPath }] = await Promise.all([startControlPlane(), ensureBinaries(['kubectl'])]);
  const applied = await kubectl(['apply', '-f', crds]);
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  await untilEstablished(async (args) => expect(await kubectl(args)).toMatchObject({ code: 0 }));
});
afterAll(() => plane?.stop());

const policy = (name: string, spec: unknown) => ({
  apiVersion: 'robotgc.dev/v1alpha1',
  kind: 'RobotGCPolicy',
  metadata: { name },
  spec,
});

const incident = {
  apiVersion: 'robotgc.dev/v1alpha1',
  kind: 'RobotGCIncident',
  metadata: { name: 'dispatch-1' },
  spec: {
    policy: { name: 'dispatch', uid: 'u', generation: 1 },
    pod: { name: 'dispatch-7c9-x', uid: 'p' },
    container: { name: 'robot', id: 'c' },
    node: 'n1',
    trigger: {
      signal: 'gcStallP99',
      observed: 41_000_000,
      threshold: 30_000_000,
      unit: 'ns',
      breachingWindows: 3,
      ofWindows: 5,
      firstBreachAt: '2026-01-01T00:00:00.000Z',
      detectedAt: '2026-01-01T00:00:02.000Z',
    },
  },
};

describe('policies on the real API server', () => {
  it.each(Object.entries(GOOD_SPECS))('%s is accepted, with the defaults that the schema fills', async (_, spec) => {
    const { code, stdout, stderr } = await kubectl(
      ['create', '--dry-run=server', '-o', 'json', '-f', '-'],
      policy('good', spec),
    );
    expect([code, stderr]).toEqual([0, '']);
    const offline = checkPolicy(policy('good', spec));
    expect(JSON.parse(stdout).spec).toEqual(offline.ok && JSON.parse(JSON.stringify(offline.policy.spec)));
  });

  it.each(BAD_POLICIES)('$what is refused at $path', async ({ spec, path, words }) => {
    const { code, stderr } = await kubectl(['create', '--dry-run=server', '-f', '-'], policy('bad', spec));
    expect(code).toBe(1);
    expect(stderr).toContain(path.replace(/^spec\.tunning$/, 'unknown field "spec.tunning"'));
    if (words !== undefined) expect(stderr).toContain(words);
  });

  it('is refused under a name that is no label', async () => {
    const { code, stderr } = await kubectl(
      ['create', '--dry-run=server', '-f', '-'],
      policy('x'.repeat(64), MINIMAL_SPEC),
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('write at most 63 characters')]);
  });

  it('takes the examples as they stand', async () => {
    await kubectl(['create', 'namespace', 'robots']);
    expect(await kubectl(['apply', '-f', examples])).toMatchObject({
      code: 0,
      stdout: ['dispatch-cooperating', 'device-gateway', 'dispatch-guarded', 'one-process', 'dispatch']
        .map((name) => `robotgcpolicy.robotgc.dev/${name} created\n`)
        .join(''),
    });
  });

  it('shows mode, watched, refused, readiness and age', async () => {
    await kubectl(['apply', '-f', '-'], policy('columns', FULL_SPEC));
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Watching',
      message: 'm',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const status = { watched: 3, refused: 1, conditions: [condition] };
    await kubectl([
      'patch',
      'rgp',
      'columns',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    const lines = (await kubectl(['get', 'rgp', 'columns'])).stdout.trim().split('\n');
    expect(lines.map((line) => line.split(/\s+/).slice(0, 5))).toEqual([
      ['NAME', 'MODE', 'WATCHED', 'REFUSED', 'READY'],
      ['columns', 'Auto', '3', '1', 'True'],
    ]);
    expect(lines[0]).toMatch(/AGE$/);
  });

  it('keeps what several field managers apply to the lists of its status', async () => {
    await kubectl(['apply', '-f', '-'], policy('shared', MINIMAL_SPEC));
    const container = (pod: string) => ({ pod, container: 'robot', node: 'n', state: 'Watching' });
    for (const pod of ['a', 'b']) {
      const { apiVersion, kind, metadata } = policy('shared', {});
      const part = { apiVersion, kind, metadata, status: { containers: [container(pod)] } };
      const args = ['apply', '--server-side', '--subresource=status', `--field-manager=agent-${pod}`, '-f', '-'];
      expect((await kubectl(args, part)).stderr).toBe('');
    }
    const { status } = JSON.parse((await kubectl(['get', 'rgp', 'shared', '-o', 'json'])).stdout);
    expect(status.containers.map(({ pod }: { pod: string }) => pod)).toEqual(['a', 'b']);
  });
});

describe('incidents on the real API server', () => {
  beforeAll(async () => {
    expect((await kubectl(['create', '-f', '-'], incident)).stderr).toBe('');
  });

  it('show pod, trigger, phase, cause and age', async () => {
    const status = { phase: 'Diagnosed', cause: 'GogcTooLow' };
    await kubectl([
      'patch',
      'rgi',
      'dispatch-1',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    const lines = (await kubectl(['get', 'rgi'])).stdout.trim().split('\n');
    expect(lines.map((line) => line.split(/\s+/).slice(0, 5))).toEqual([
      ['NAME', 'POD', 'TRIGGER', 'PHASE', 'CAUSE'],
      ['dispatch-1', 'dispatch-7c9-x', 'gcStallP99', 'Diagnosed', 'GogcTooLow'],
    ]);
    expect(lines[0]).toMatch(/AGE$/);
  });

  it('refuse a change of what was seen', async () => {
    const patch = JSON.stringify({ spec: { trigger: { observed: 1 } } });
    const { code, stderr } = await kubectl(['patch', 'rgi', 'dispatch-1', '--type=merge', '-p', patch]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('its spec cannot be changed')]);
    const labelled = await kubectl(['label', 'rgi', 'dispatch-1', 'seen=true']);
    expect(labelled.code).toBe(0);
  });

  it('keep a null in the record of an action: the variable was not set', async () => {
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'd' };
    const action = {
      kind: 'Rollout',
      owner,
      container: 'robot',
      knob: 'GOGC',
      before: null,
      after: '100',
      at: '2026-01-01T00:01:00Z',
      result: 'Pending',
    };
    const { apiVersion, kind, metadata } = incident;
    const part = { apiVersion, kind, metadata, status: { actions: [action] } };
    await kubectl(
      ['apply', '--server-side', '--subresource=status', '--field-manager=robotgc-status', '-f', '-'],
      part,
    );
    const { status } = JSON.parse((await kubectl(['get', 'rgi', 'dispatch-1', '-o', 'json'])).stdout);
    expect(status.actions).toEqual([action]);
  });

  it('refuse an unknown phase, and say which there are', async () => {
    const patch = JSON.stringify({ status: { phase: 'Done' } });
    const { stderr } = await kubectl([
      'patch',
      'rgi',
      'dispatch-1',
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    ]);
    expect(stderr).toContain('supported values: "Detected"');
  });
});
