/** What a policy's status says, from what is known of its containers and incidents. Pure. */
import type { Condition, PolicyStatus, RobotGCIncident, RobotGCPolicy } from '../../api/index.ts';
import { explainThresholds } from '../../model/index.ts';

/** The operator's part: `containers` belongs to the agents, each its own entries. */
export type OwnStatus = Omit<PolicyStatus, 'containers'>;

export function policyStatus(
  policy: RobotGCPolicy,
  incidents: readonly RobotGCIncident[],
  observeOnly: boolean,
  now: number,
): OwnStatus {
  const containers = policy.status.containers ?? [];
  const inState = (state: string) => containers.filter((container) => container.state === state).length;
  const inPhase = (phase: string) => incidents.filter(({ status }) => status.phase === phase).length;
  const finals = { resolved: inPhase('Resolved'), escalated: inPhase('Escalated'), rolledBack: inPhase('RolledBack') };
  const open = incidents.length - finals.resolved - finals.escalated - finals.rolledBack - inPhase('Observed');
  const lastPlan = newestFirst(incidents).find(({ status }) => status.plan)?.status.plan;
  return {
    observedGeneration: policy.metadata.generation,
    thresholds: explainThresholds(policy.spec).map(({ signal, limit, unit, formula }) => ({
      signal,
      limit,
      unit,
      formula,
    })),
    matched: containers.length,
    watched: inState('Watching'),
    refused: inState('Refused'),
    incidents: { open, ...finals },
    ...(lastPlan ? { lastRecommendation: lastPlan.reason } : {}),
    conditions: [ready(policy), conflict(incidents), degraded(policy), tuning(incidents, policy, observeOnly)].map(
      (judged) => dated(judged, policy, now),
    ),
  };
}

type Judged = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function ready({ status }: RobotGCPolicy): Judged {
  const watching = (status.containers ?? []).filter(({ state }) => state === 'Watching').length;
  return watching > 0
    ? { type: 'Ready', status: 'True', reason: 'Watching', message: `${watching} containers are watched` }
    : {
        type: 'Ready',
        status: 'False',
        reason: 'NothingWatched',
        message: 'no container of a matching pod is watched yet',
      };
}

function degraded({ status }: RobotGCPolicy): Judged {
  const refused = (status.containers ?? []).filter(({ state }) => state === 'Refused');
  const first = refused[0];
  return first
    ? {
        type: 'Degraded',
        status: 'True',
        reason: first.reason ?? 'Refused',
        message: `${refused.length} containers are refused, such as ${first.pod}/${first.container}: ${first.message ?? first.reason ?? ''}`,
      }
    : { type: 'Degraded', status: 'False', reason: 'AllWatched', message: 'no container is refused' };
}

/** The newest incident that tried to act says whether someone else owns the field now. */
function conflict(incidents: readonly RobotGCIncident[]): Judged {
  const last = newestFirst(incidents).flatMap(({ status }) => status.actions ?? [])[0];
  return last?.result === 'Failed' && last.message?.includes('is owned by')
    ? { type: 'Conflict', status: 'True', reason: 'FieldOwnedElsewhere', message: last.message }
    : { type: 'Conflict', status: 'False', reason: 'NoConflict', message: 'no other manager was found to own GOGC' };
}

function tuning(incidents: readonly RobotGCIncident[], policy: RobotGCPolicy, observeOnly: boolean): Judged {
  const acting = incidents.find(({ status }) => status.phase === 'Acting' || status.phase === 'Verifying');
  if (acting) {
    return {
      type: 'Tuning',
      status: 'True',
      reason: acting.status.phase ?? '',
      message: `incident ${acting.metadata.name}`,
    };
  }
  const { mode } = policy.spec.actions;
  if (observeOnly) {
    return { type: 'Tuning', status: 'False', reason: 'KillSwitch', message: 'the operator runs with --observe-only' };
  }
  return { type: 'Tuning', status: 'False', reason: mode, message: `mode ${mode}; nothing is being changed` };
}

/** Keeps the time of the last transition, as the API conventions ask. */
function dated(judged: Judged, { status, metadata }: RobotGCPolicy, now: number): Condition {
  const before = status.conditions?.find(({ type }) => type === judged.type);
  const same = before?.status === judged.status;
  return {
    ...judged,
    observedGeneration: metadata.generation,
    lastTransitionTime: same ? before.lastTransitionTime : new Date(now).toISOString(),
  };
}

function newestFirst(incidents: readonly RobotGCIncident[]): RobotGCIncident[] {
  return incidents.toSorted((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp));
}
