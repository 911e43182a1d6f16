/** The real API server as the product finds it: with its custom resources, and a namespace of robots. */
import { join } from 'node:path';
import { ensureBinaries } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { until } from './until.ts';

/** Resolves with what kubectl printed, without white space around it; rejects with what it complained of. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** kubectl as the admin of a bare control plane. */
export function kubectlOf({ kubeconfigPath }: Pick<ControlPlane, 'kubeconfigPath'>): Kubectl {
  return async (args, input) => {
    const { kubectl: program } = await ensureBinaries(['kubectl']);
    return (await kubectl(program, kubeconfigPath, args, input)).stdout.trim();
  };
}

/** Custom resources, ready to be used, and the namespace `robots`. */
export async function installResources(run: Kubectl): Promise<void> {
  await run(['apply', '-f', join(repositoryDir, 'crds')]);
  await untilEstablished(run);
  await run(['create', 'namespace', 'robots']);
}

/** As a newer version of the policy's resource would have it: an integer `future` below each path, such as `spec/properties/tuning`. */
export async function addFutureFields(run: Kubectl, ...paths: readonly string[]): Promise<void> {
  const patch = paths.map((path) => ({
    op: 'add',
    path: `/spec/versions/0/schema/openAPIV3Schema/properties/${path}/properties/future`,
    value: { type: 'integer' },
  }));
  await run(['patch', 'crd', 'robotgcpolicies.robotgc.dev', '--type=json', '-p', JSON.stringify(patch)]);
}

/** kubectl's own wait gives up on a resource that has no conditions yet. */
export function untilEstablished(run: (args: readonly string[]) => Promise<unknown>): Promise<void> {
  const wait = ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'];
  const isDone = () =>
    run(wait).then(
      () => true,
      () => false,
    );
  return until('the custom resources are established', isDone, 120_000, 200);
}

/** A service account `robots/agent`, as the operator knows agents by. @returns its token for the operator */
export async function createAgentAccount(run: Kubectl): Promise<string> {
  await run(['create', 'serviceaccount', 'agent', '--namespace=robots']);
  return run(['create', 'token', 'agent', '--namespace=robots', '--audience=robotgc-operator']);
}
