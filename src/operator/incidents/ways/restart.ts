/** By a new pod for the one in breach: it is evicted, with its grace period and its PodDisruptionBudget, and its controller makes another. */
import type { ActionRecord } from '../../../api/index.ts';
import { evict, find, isKubeError, pods } from '../../../kube/index.ts';
import type { IncidentView } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import { refusalOf } from './refusal.ts';
import type { ActingWay, Outcome, Progress, WayContext } from './way.ts';

/** What the API server took is in effect at once; only the cache is late. */
const SEEN_LIMIT_MS = 2 * 60_000;
/** From then on it is its controller's matter: nothing of ours could bring the old one back. */
const READY_LIMIT_MS = 10 * 60_000;

/** A new pod has a new heap, whatever was changed: no signals of it judge the old one's. */
export const restart: ActingWay = { progress, apply, carries: () => false };

function progress(
  view: IncidentView,
  { pods: all, rollout }: FoundWorkload,
  action: ActionRecord,
  now: number,
): Progress {
  // Of one that was refused: there is nothing to go back to.
  if (action.kind === 'Rollback') return { type: 'settled' };
  const { name, uid } = view.incident.spec.pod;
  const pod = all.find(({ metadata }) => metadata.uid === uid);
  const waitedMs = now - Math.max(Date.parse(action.at), view.watchedSinceMs);
  if (pod && pod.metadata.deletionTimestamp === '') {
    if (action.result === 'Pending') return { type: 'before' };
    const why = `pod ${name} was evicted, and is still there`;
    return waitedMs > SEEN_LIMIT_MS ? { type: 'refused', why } : { type: 'underway', reason: why };
  }
  if (pod) return { type: 'underway', reason: `pod ${name} is ending` };
  if (rollout.state === 'settled' || waitedMs > READY_LIMIT_MS) return { type: 'settled' };
  return { type: 'underway', reason: rollout.sentence };
}

/** Read anew right before: a pod that ends already, or has gone, is not evicted once more. */
async function apply(
  { transport, incident, fence }: WayContext,
  action: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  const done: Outcome = { type: 'applied', previousManagers: [] };
  if (action.kind === 'Rollback') return done;
  const { name, uid } = incident.spec.pod;
  const pod = await find(transport, pods, { namespace: incident.metadata.namespace, name }, { signal });
  if (pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== '') return done;
  await fence(signal);
  try {
    await evict(transport, pod, { signal });
    return done;
  } catch (error) {
    if (isKubeError(error, 'DisruptionBudget'))
      return { type: 'refused', message: `Pod ${name} is kept by its PodDisruptionBudget: ${error.message}` };
    return refusalOf(error);
  }
}
