/** What a policy's status says, from what is known of its containers and incidents. Pure. */
import {
  type Condition,
  isOpenAction,
  type PolicyStatus,
  type RobotGCIncident,
  type RobotGCPolicy,
} from '../../api/index.ts';
import { explainThresholds } from '../../model/index.ts';
import { type Breaker, describeBreaker } from '../../remedy/index.ts';

/** This controller's part: `containers` and `misunderstoodBy` belong to the agents, each its own entries, and `tuning` to continuous tuning. */
export type OwnStatus = Omit<PolicyStatus, 'containers' | 'misunderstoodBy' | 'tuning'>;

/** What stops acting for every policy at once. */
export interface Stops {
  readonly observeOnly: boolean;
  readonly breaker: Breaker;
}

export function policyStatus(
  policy: RobotGCPolicy,
  incidents: readonly RobotGCIncident[],
  stops: Stops,
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
    ...healing(incidents),
    ...(lastPlan ? { lastRecommendation: lastPlan.reason } : {}),
    conditions: [
      ready(policy),
      conflict(incidents),
      degraded(policy),
      tuning(incidents, policy, stops),
      goMemLimit(policy),
      slowLeak(policy),
    ].map((judged) => dated(judged, policy, now)),
  };
}

/** A policy as far as every version understands it. */
export interface Dated {
  readonly metadata: Pick<RobotGCPolicy['metadata'], 'generation'>;
  readonly status: Pick<PolicyStatus, 'conditions'>;
}

/** Of a policy that this operator does not understand, such as one with a field that a newer version knows. */
export function unreadStatus(policy: Dated, reason: string, now: number): Pick<OwnStatus, 'conditions'> {
  const message = `this operator does not understand the policy and does nothing for it: upgrade it, or take the field out. ${reason}`;
  const judged = { reason: 'NotUnderstood', message: message.slice(0, 1024) };
  const conditions = [
    { type: 'Ready', status: 'False', ...judged },
    { type: 'Degraded', status: 'True', ...judged },
  ] as const;
  return { conditions: conditions.map((each) => dated(each, policy, now)) };
}

/** Of the incidents that are still there. Those that ended in Observed were not ours to heal. */
export function healing(incidents: readonly RobotGCIncident[]): Pick<PolicyStatus, 'mttrSeconds' | 'autoHealRate'> {
  const ended = (phase: string) => incidents.filter(({ status }) => status.phase === phase);
  const healedMs = ended('Resolved').flatMap(({ status }) => status.times?.healMs ?? []);
  const resolved = ended('Resolved').length;
  const all = resolved + ended('RolledBack').length + ended('Escalated').length;
  const meanMs = healedMs.reduce((sum, ms) => sum + ms, 0) / healedMs.length;
  return {
    ...(healedMs.length > 0 ? { mttrSeconds: Math.round(meanMs) / 1000 } : {}),
    ...(all > 0 ? { autoHealRate: Math.round((1000 * resolved) / all) / 1000 } : {}),
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

/** Nodes that watch nothing come first: of their containers nobody can tell anything. */
function degraded({ status }: RobotGCPolicy): Judged {
  const { misunderstoodBy = [] } = status;
  const [node] = misunderstoodBy;
  if (node) {
    const message = `the agents of ${misunderstoodBy.length} nodes do not understand this policy and watch nothing for it: upgrade them. Such as ${node.node}: ${node.message}`;
    return { type: 'Degraded', status: 'True', reason: 'NotUnderstood', message: message.slice(0, 1024) };
  }
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

/** Whatever the mode: it is for the team to mend where we may not. */
function goMemLimit({ status }: RobotGCPolicy): Judged {
  const stale = (status.containers ?? []).flatMap(({ pod, container, staleGoMemLimit }) =>
    staleGoMemLimit ? [{ where: `${pod}/${container}`, ...staleGoMemLimit }] : [],
  );
  const first = stale[0];
  return first
    ? {
        type: 'StaleGoMemLimit',
        status: 'True',
        reason: first.reason,
        message: `GOMEMLIMIT of ${stale.length} containers is stale, such as ${first.where}: ${first.message}`,
      }
    : {
        type: 'StaleGoMemLimit',
        status: 'False',
        reason: 'NoneStale',
        message: 'no GOMEMLIMIT was found that does not match its memory limit',
      };
}

/** Whatever the mode, and before any limit is broken: a leak is mended by people. */
function slowLeak({ status }: RobotGCPolicy): Judged {
  const leaks = (status.containers ?? []).flatMap(({ pod, container, slowLeak: leak }) =>
    leak ? [{ where: `${pod}/${container}`, ...leak }] : [],
  );
  const worst = leaks.toSorted((a, b) => b.bytesPerHour - a.bytesPerHour)[0];
  return worst
    ? {
        type: 'SlowLeak',
        status: 'True',
        reason: 'LiveHeapGrows',
        message: `the live heap of ${leaks.length} containers grows over hours, most of all ${worst.where}: ${worst.message}`,
      }
    : { type: 'SlowLeak', status: 'False', reason: 'NoneSeen', message: 'no live heap was seen to grow over hours' };
}

/** The newest incident with a plan says whether someone else has the say now. */
function conflict(incidents: readonly RobotGCIncident[]): Judged {
  const last = newestFirst(incidents).find(({ status }) => status.plan)?.status;
  const refused = last?.actions?.find(({ conflictsWith }) => conflictsWith !== undefined)?.message;
  if (refused !== undefined) {
    return { type: 'Conflict', status: 'True', reason: 'FieldOwnedElsewhere', message: refused };
  }
  if (last?.plan?.conflicts) {
    return { type: 'Conflict', status: 'True', reason: 'ManagedElsewhere', message: last.plan.conflicts.join(' ') };
  }
  return { type: 'Conflict', status: 'False', reason: 'NoConflict', message: 'nobody else was found to have the say' };
}

function tuning(incidents: readonly RobotGCIncident[], policy: RobotGCPolicy, { observeOnly, breaker }: Stops): Judged {
  const acting = incidents.find(({ status }) => status.phase === 'Acting' || status.phase === 'Verifying');
  if (acting) {
    return {
      type: 'Tuning',
      status: 'True',
      reason: acting.status.phase ?? '',
      message: `incident ${acting.metadata.name}`,
    };
  }
  const tuned = policy.status.tuning?.find(({ actions }) => actions?.some(isOpenAction));
  if (tuned) {
    const { kind, name } = tuned.owner;
    return { type: 'Tuning', status: 'True', reason: 'Continuous', message: `${kind} ${name}: ${tuned.plan.reason}` };
  }
  const { mode } = policy.spec.actions;
  if (observeOnly) {
    return { type: 'Tuning', status: 'False', reason: 'KillSwitch', message: 'the operator runs with --observe-only' };
  }
  if (breaker.type === 'open') {
    return { type: 'Tuning', status: 'False', reason: 'CircuitBreaker', message: describeBreaker(breaker) };
  }
  return { type: 'Tuning', status: 'False', reason: mode, message: `mode ${mode}; nothing is being changed` };
}

/** Keeps the time of the last transition, as the API conventions ask. */
function dated(judged: Judged, { status, metadata }: Dated, now: number): Condition {
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
