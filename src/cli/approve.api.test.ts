/** Approving on the real API server: by the command, and what the chart's admission policy refuses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBinaries } from '../../test/cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../test/cluster/control-plane.ts';
import { repositoryDir } from '../../test/cluster/paths.ts';
import { run as runProgram } from '../../test/cluster/run.ts';
import { installResources, type Kubectl, kubectlOf } from '../../test/support/robots-api.ts';
import { until } from '../../test/support/until.ts';
import { approvalOf, RobotGCIncident } from '../api/index.ts';
import { incidentWith } from '../operator/incidents/testing.ts';
import { run } from './program.ts';

let plane: ControlPlane;
let kubectl: Kubectl;

beforeAll(async () => {
  plane = await startControlPlane();
  kubectl = kubectlOf(plane);
  await installResources(kubectl);
  const { helm } = await ensureBinaries(['helm']);
  const chart = `${repositoryDir}/charts/robotgc`;
  const { stdout } = await runProgram([helm, 'template', 'robotgc', chart, '--show-only', 'templates/approval.yaml']);
  await kubectl(['apply', '-f', '-'], stdout);
  await kubectl(['create', 'rolebinding', 'jane', '--clusterrole=robotgc-approver', '--user=jane', '-n', 'robots']);
  await kubectl(['create', 'clusterrole', 'editor', '--verb=get,patch', '--resource=robotgcincidents.robotgc.dev']);
  await kubectl(['create', 'rolebinding', 'bob', '--clusterrole=editor', '--user=bob', '-n', 'robots']);
  await offer('in-force');
  // The API server takes an admission policy into account some time after it was written.
  await until(
    'the admission policy is in force',
    () => annotate('admin', 'in-force', 'jane').then(isRefused),
    60_000,
    500,
  );
}, 180_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

describe('robotgc approve', () => {
  it('writes who approved, when, and which change exactly', async () => {
    await offer('offered');
    expect(await approve('offered')).toBeUndefined();
    const approval = approvalOf((await read('offered')).metadata.annotations);
    expect(approval).toMatchObject({
      by: expect.stringMatching(/./),
      change: { kind: 'Rollout', knob: 'GOGC', from: '10', to: '20' },
    });
    expect(Math.abs(Date.now() - Date.parse(approval?.at ?? ''))).toBeLessThan(60_000);
  });

  it('says why there is nothing to approve', async () => {
    await offer('over', { until: '2026-01-01T00:00:00Z' });
    expect(await approve('over')).toBe(1);
    expect(await approve('nowhere')).toBe(2);
    expect(approvalOf((await read('over')).metadata.annotations)).toBeUndefined();
  });
});

describe('the admission policy', () => {
  it('lets those approve who may, in their own name', async () => {
    await offer('own');
    expect(await annotate('jane', 'own', 'jane')).toBe('');
  });

  it('lets nobody approve in the name of another', async () => {
    await offer('forged');
    expect(await annotate('jane', 'forged', 'bob')).toContain('must be your own user name');
  });

  it('lets nobody change what another approved', async () => {
    await offer('kept');
    await annotate('jane', 'kept', 'jane');
    expect(await annotate('admin', 'kept', 'jane', '{}')).toContain('must be your own user name');
  });

  it('asks for the right to approve, which is more than that to write', async () => {
    await offer('unentitled');
    expect(await annotate('bob', 'unentitled', 'bob')).toContain('ask for the verb approve');
    expect(await refusal(['annotate', 'rgi', 'unentitled', 'note=seen', '-n', 'robots', '--as=bob'])).toBe('');
  });

  it('lets an approval be taken back', async () => {
    await offer('withdrawn');
    await annotate('jane', 'withdrawn', 'jane');
    const names = ['robotgc.dev/approved-by-', 'robotgc.dev/approval-'];
    expect(await refusal(['annotate', 'rgi', 'withdrawn', ...names, '-n', 'robots', '--as=bob'])).toBe('');
  });
});

async function offer(name: string, { until: end = '2126-01-01T00:00:00Z' } = {}): Promise<void> {
  const { apiVersion, kind, spec } = incidentWith();
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion, kind, metadata: { name, namespace: 'robots' }, spec }),
  );
  const plan = { kind: 'Rollout', knob: 'GOGC', from: '10', to: '20', reason: 'r' };
  const status = { phase: 'Observed', plan, approval: { state: 'Offered', until: end } };
  const patch = ['patch', 'rgi', name, '-n', 'robots', '--subresource=status', '--type=merge'];
  await kubectl([...patch, '-p', JSON.stringify({ status })]);
}

async function read(name: string): Promise<RobotGCIncident> {
  return RobotGCIncident.parse(JSON.parse(await kubectl(['get', 'rgi', name, '-n', 'robots', '-o', 'json'])));
}

function approve(name: string) {
  return run(['approve', name, '-n', 'robots', '--kubeconfig', plane.kubeconfigPath]);
}

/** @returns the refusal, or nothing */
function annotate(as: string, name: string, by: string, approval = 'x'): Promise<string> {
  const annotations = [`robotgc.dev/approved-by=${by}`, `robotgc.dev/approval=${approval}`];
  const user = as === 'admin' ? [] : [`--as=${as}`];
  return refusal(['annotate', '--overwrite', 'rgi', name, '-n', 'robots', ...annotations, ...user]);
}

function refusal(args: readonly string[]): Promise<string> {
  return kubectl(args).then(
    () => '',
    (error: unknown) => String(error),
  );
}

function isRefused(text: string): boolean {
  return text !== '';
}
