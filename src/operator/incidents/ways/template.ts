/** The one write to a workload's template: one knob of one container, by server-side apply under a field manager of our own. */
import { type ActionRecord, knobOf, REMEDY_FIELD_MANAGER } from '../../../api/index.ts';
import {
  apply,
  find,
  isKubeError,
  type ObjectBody,
  type Resource,
  type Transport,
  type Workload,
} from '../../../kube/index.ts';
import { application } from '../../workloads/application.ts';
import { conflictIsOverKnobAlone } from '../../workloads/owned.ts';
import { workloadResource } from '../../workloads/resources.ts';
import { removeStuckPods } from '../../workloads/stuck-pods.ts';
import { refusalOf } from './refusal.ts';
import type { Outcome, WayContext } from './way.ts';

/**
 * First without force, so that another manager's claim shows; with force only where the policy says TakeOver and the
 * conflict is over this one knob.
 * @throws KubeError for what another try may cure (no answer, throttling, a server error)
 */
export async function applyToTemplate(
  context: WayContext,
  action: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  const { transport, incident, fence } = context;
  const { owner } = action;
  const resource = workloadResource(owner);
  const ref = { namespace: incident.metadata.namespace, name: owner.name };
  // Fresh: what our field manager applied before must be named again.
  const workload = resource && (await find(transport, resource, ref, { signal }));
  if (!resource || workload?.metadata.uid !== owner.uid)
    return { type: 'refused', message: `${owner.kind} ${owner.name} is gone` };
  await fence(signal);
  const outcome = await write(context, resource, objectOf(incident.metadata.name, workload, action), action, signal);
  if (outcome.type === 'applied' && action.kind === 'Rollback' && workload.kind === 'StatefulSet') {
    await removeStuckPods(
      transport,
      workload,
      { ...action, knob: knobOf(action.knob), setting: action.before },
      signal,
    );
  }
  return outcome;
}

function objectOf(incident: string, workload: Workload, action: ActionRecord): ObjectBody {
  const { owner, container, knob, before, after, kind, canary } = action;
  const change = { container, knob: knobOf(knob), setting: after };
  // Nothing is left to explain once the value before is back.
  const cause = kind === 'Rollback' ? undefined : { incident, previous: before };
  const partition = canary ? workload.spec.replicas - 1 : undefined;
  return application(workload, owner, change, { cause, partition });
}

async function write(
  { transport, policy }: WayContext,
  resource: Resource<Workload>,
  object: ObjectBody,
  { container, knob, kind }: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    await apply(transport, resource, object, { fieldManager: REMEDY_FIELD_MANAGER, signal });
    return { type: 'applied', previousManagers: [] };
  } catch (error) {
    if (!isKubeError(error, 'Conflict') || error.conflicts.length === 0) return refusalOf(error);
    const managers = [...new Set(error.conflicts.map(({ manager }) => manager))];
    const fields = error.conflicts.map(({ field }) => field);
    const takeOver = policy?.spec.actions.fieldConflicts === 'TakeOver' || kind === 'Rollback';
    if (takeOver && conflictIsOverKnobAlone(fields, container, knobOf(knob))) {
      return force(transport, resource, object, managers, signal);
    }
    return {
      type: 'refused',
      conflictsWith: managers,
      message:
        `${knob} of container ${container} is owned by ${managers.join(', ')} (${fields.join(', ')}); ` +
        'set actions.fieldConflicts: TakeOver to let robotgc own it, or remove it from that manifest',
    };
  }
}

async function force(
  transport: Transport,
  resource: Resource<Workload>,
  object: ObjectBody,
  managers: readonly string[],
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    await apply(transport, resource, object, { fieldManager: REMEDY_FIELD_MANAGER, force: true, signal });
    return { type: 'applied', previousManagers: managers };
  } catch (error) {
    return refusalOf(error);
  }
}
