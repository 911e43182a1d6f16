/** The one write to a workload: its GOGC variable, by server-side apply under a field manager of our own. */
import { type ActionRecord, REMEDY_FIELD_MANAGER, type RobotGCIncident, type RobotGCPolicy } from '../../api/index.ts';
import { apply, deployments, isKubeError, type KubeError, type ObjectBody, type Transport } from '../../kube/index.ts';
import { conflictIsOverGogcAlone, gogcApplication } from './workload.ts';

export type Outcome =
  | { readonly type: 'applied'; readonly previousManagers: readonly string[] }
  | { readonly type: 'conflict'; readonly managers: readonly string[]; readonly message: string }
  | { readonly type: 'failed'; readonly message: string };

/**
 * Idempotent. First without force, so that another manager's claim shows; with force only where the policy says TakeOver and the
 * conflict is over this one variable.
 * @throws KubeError for what another try may cure (no answer, throttling, a server error)
 */
export async function applyGogc(
  transport: Transport,
  incident: RobotGCIncident,
  policy: RobotGCPolicy,
  action: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  const namespace = incident.metadata.namespace;
  const object = gogcApplication(action.owner, namespace, action.container, action.after, {
    incident: incident.metadata.name,
    previous: action.before,
  });
  const options = { fieldManager: REMEDY_FIELD_MANAGER, signal };
  try {
    await apply(transport, deployments, object, options);
    return { type: 'applied', previousManagers: [] };
  } catch (error) {
    if (!isKubeError(error, 'Conflict') || error.conflicts.length === 0) return final(error);
    const managers = [...new Set(error.conflicts.map((conflict) => conflict.manager))];
    const fields = error.conflicts.map((conflict) => conflict.field);
    const takeOver = policy.spec.actions.fieldConflicts === 'TakeOver' || action.kind === 'Rollback';
    if (!takeOver || !conflictIsOverGogcAlone(fields, action.container)) {
      return {
        type: 'conflict',
        managers,
        message:
          `GOGC of container ${action.container} is owned by ${managers.join(', ')}; ` +
          'set actions.fieldConflicts: TakeOver to let robotgc own it, or remove it from that manifest',
      };
    }
    return force(transport, object, managers, options);
  }
}

async function force(
  transport: Transport,
  object: ObjectBody,
  managers: readonly string[],
  options: { fieldManager: string; signal: AbortSignal },
): Promise<Outcome> {
  try {
    await apply(transport, deployments, object, { ...options, force: true });
    return { type: 'applied', previousManagers: managers };
  } catch (error) {
    return final(error);
  }
}

/** What the server will refuse again is an answer; the rest is worth another try. */
function final(error: unknown): Outcome {
  if (isKubeError(error, 'Forbidden', 'Invalid', 'NotFound', 'Conflict', 'BadRequest')) {
    return { type: 'failed', message: (error satisfies KubeError).message };
  }
  throw error;
}
