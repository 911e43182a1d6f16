/** `robotgc approve`: a person's consent to what an incident recommends. Installed as `kubectl-robotgc` it is `kubectl robotgc approve`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { APPROVAL_FIELD_MANAGER, type Approval, annotationsOf, type RobotGCIncident } from '../api/index.ts';
import { apply, createTransport, find, incidents, isKubeError, silentLog, type Transport } from '../kube/index.ts';
import { changeOf } from '../remedy/index.ts';
import { CliError, exitCodes } from './exit.ts';
import { say } from './output.ts';

interface ApproveOptions {
  readonly namespace?: string;
  readonly kubeconfig?: string;
}

const Review = z.object({ status: z.object({ userInfo: z.object({ username: z.string() }) }) });

export function register(program: Command): void {
  program
    .command('approve <incident>')
    .description('approve the change that an incident recommends; it is made if it is still right then')
    .option('-n, --namespace <name>', "the incident's (default: that of the kubeconfig's context)")
    .option('--kubeconfig <file>', 'cluster to work on (default: as kubectl)')
    .action(run);
}

async function run(name: string, { kubeconfig, namespace }: ApproveOptions): Promise<void> {
  try {
    const where = kubeconfig === undefined ? {} : { kubeconfigPath: kubeconfig };
    const transport = createTransport({ ...where, userAgent: 'robotgc-approve', log: silentLog });
    const signal = AbortSignal.timeout(30_000);
    await approve(transport, name, namespace ?? transport.defaultNamespace, signal).finally(() => transport.close());
  } catch (error) {
    if (!isKubeError(error)) throw error;
    throw new CliError(exitCodes.environment, error.message, { cause: error });
  }
}

async function approve(transport: Transport, name: string, namespace: string, signal: AbortSignal): Promise<void> {
  const incident = await find(transport, incidents, { namespace, name }, { signal });
  if (!incident) throw new CliError(exitCodes.usage, `there is no incident ${name} in namespace ${namespace}`);
  const by = await whoAmI(transport, signal);
  const approval = approvalFor(incident, by, new Date());
  const { uid } = incident.metadata;
  await apply(
    transport,
    incidents,
    { metadata: { name, namespace, uid, annotations: annotationsOf(approval) } },
    { fieldManager: APPROVAL_FIELD_MANAGER, force: true, signal },
  );
  const { kind, knob, from, to } = approval.change;
  say(`${by} approved: ${knob} ${from ?? 'unset'} → ${to ?? 'unset'} by ${kind}`);
  say(`what becomes of it: kubectl get rgi -n ${namespace} ${name} -o jsonpath='{.status.message}'`);
}

/** @throws CliError when there is nothing to approve */
function approvalFor({ metadata, status }: RobotGCIncident, by: string, now: Date): Approval {
  const { plan, approval: offer, phase } = status;
  const change = plan && changeOf(plan);
  const none = (why: string) =>
    new CliError(exitCodes.finding, `incident ${metadata.name} has nothing to approve: ${why}`);
  if (phase !== 'Observed') throw none(`its phase is ${phase ?? 'none yet'}, not Observed. ${status.message ?? ''}`);
  if (!change || !offer) throw none(status.message ?? 'it recommends nothing');
  if (Date.parse(offer.until) < now.getTime()) throw none(`the offer ended at ${offer.until}`);
  return { by, at: now.toISOString(), change };
}

/** As the API server knows the caller, whatever the way they signed in. */
async function whoAmI(transport: Transport, signal: AbortSignal): Promise<string> {
  const answer = await transport.json({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal,
  });
  return Review.parse(answer).status.userInfo.username;
}
