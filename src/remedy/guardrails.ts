/** What stands between a remedy and the workload. One guardrail, one small function: `(input, now) → objection | none`. */
import { type ActionRecord, durationMs, isOpenAction } from '../api/index.ts';
import { STALE_AFTER_WINDOWS } from '../model/index.ts';
import { describeBreaker } from './circuit-breaker.ts';
import type { Occasion, Permission } from './input.ts';
import { isOpen, nextOpening } from './maintenance.ts';
import type { Proposal } from './proposal.ts';

export interface Objection {
  readonly guardrail: string;
  /** One sentence with the number that decided. */
  readonly message: string;
}

/** For `plan.blockedBy`, Events and messages. */
export function sentenceOf({ guardrail, message }: Objection): string {
  return `${guardrail}: ${message}`;
}

export type Guardrail = (input: Occasion, now: Date, proposed: Pick<Proposal, 'makesRoomFor'>) => Objection | undefined;

/** As a guardrail, from what is known at the last moment too. */
type Gate = (permission: Permission, now: Date) => Objection | undefined;

/** Decisions of people: they do not pass with time, so the plan is shown instead of carried out. */
export const DECISIONS_OF_PEOPLE: readonly Gate[] = [mode, killSwitch, paused];

/** States that pass, as the people's decisions do not depend on the plan. */
const PASSING_GATES: readonly Gate[] = [breakerOpen, outsideMaintenance];

/** States that pass: the same plan may be carried out later. */
export const PASSING_STATES: readonly Guardrail[] = [
  ...PASSING_GATES,
  staleSignals,
  oneActionInFlight,
  rolloutInProgress,
  cooldown,
  budget,
];

/** What stands against a change that was planned, recorded and is about to be made: between the two, someone may have said stop. */
export function lastObjections(permission: Permission, now: Date): Objection[] {
  return [...DECISIONS_OF_PEOPLE, ...PASSING_GATES].flatMap((gate) => gate(permission, now) ?? []);
}

function mode({ spec, approvedBy }: Permission): Objection | undefined {
  if (spec.actions.mode === 'Auto') return undefined;
  if (spec.actions.mode === 'Recommend' && approvedBy !== undefined) return undefined;
  return { guardrail: 'Mode', message: `the policy's mode is ${spec.actions.mode}, not Auto` };
}

function killSwitch(input: Permission): Objection | undefined {
  return input.killSwitch
    ? { guardrail: 'KillSwitch', message: 'the operator runs with its kill switch on' }
    : undefined;
}

function paused({ paused: isPaused, subject }: Permission): Objection | undefined {
  return isPaused ? { guardrail: 'Paused', message: `${subject} is annotated as paused` } : undefined;
}

/** Rollbacks are not held back: they undo what the storm may be about. */
function breakerOpen({ breaker }: Permission): Objection | undefined {
  return breaker?.type === 'open' ? { guardrail: 'CircuitBreaker', message: describeBreaker(breaker) } : undefined;
}

/** Fails closed: a time zone that is not known here has no window that is open. */
function outsideMaintenance({ spec }: Permission, now: Date): Objection | undefined {
  const windows = spec.actions.maintenanceWindows;
  if (!windows || windows.some((window) => isOpen(window, now))) return undefined;
  const opening = nextOpening(windows, now);
  const until = opening ? `the next one opens at ${opening.toISOString()}` : 'none ever opens';
  return { guardrail: 'MaintenanceWindow', message: `no maintenance window is open, ${until}` };
}

function staleSignals({ newestWindowAgeMs: ageMs, windowPeriodMs = 1000 }: Occasion): Objection | undefined {
  if (ageMs === null) return { guardrail: 'StaleSignals', message: 'no signal window has arrived' };
  const limitMs = STALE_AFTER_WINDOWS * windowPeriodMs;
  if (ageMs <= limitMs) return undefined;
  const message = `the newest window is ${Math.round(ageMs)} ms old, more than ${limitMs} ms`;
  return { guardrail: 'StaleSignals', message };
}

function oneActionInFlight({ history, tuned = [], busyWith }: Occasion): Objection | undefined {
  if (busyWith !== undefined)
    return { guardrail: 'OneActionInFlight', message: `incident ${busyWith} is acting on this workload` };
  const open = [...history, ...tuned].find(isOpenAction);
  if (!open) return undefined;
  return { guardrail: 'OneActionInFlight', message: `the action of ${open.at} is still ${open.result}` };
}

/** Whatever the way: what a rollout of others does to the signals would be taken for ours. */
function rolloutInProgress({ ways, subject }: Occasion): Objection | undefined {
  const isRolling = ways.some((way) => way.kind === 'Rollout' && way.inProgress);
  return isRolling ? { guardrail: 'RolloutInProgress', message: `${subject} is rolling out` } : undefined;
}

/** At most 64 times the policy's cool-down. */
const MAX_DOUBLINGS = 6;

/** Doubles with each rollback since the last change that was kept: what failed once is not tried as soon again. */
function cooldown({ spec, history }: Occasion, now: Date): Objection | undefined {
  const newestFirst = byTimeNewestFirst(history);
  const last = newestFirst[0];
  if (!last) return undefined;
  const doublings = Math.min(MAX_DOUBLINGS, rollbacksInARow(newestFirst));
  const limitMs = durationMs(spec.actions.cooldown) * 2 ** doublings;
  const sinceMs = now.getTime() - Date.parse(last.at);
  if (sinceMs >= limitMs) return undefined;
  const why = doublings > 0 ? ` after ${doublings} rollbacks` : '';
  return {
    guardrail: 'Cooldown',
    message: `the last action was ${seconds(sinceMs)} ago, the cool-down is ${seconds(limitMs)}${why}`,
  };
}

/** A rollback is always allowed and costs nothing: only changes count, and what room is made for is one of them. */
function budget(
  { spec, history, soFar = [], tuned = [] }: Occasion,
  now: Date,
  { makesRoomFor }: Pick<Proposal, 'makesRoomFor'>,
): Objection | undefined {
  const { actions, per } = spec.actions.budget;
  const sinceMs = now.getTime() - durationMs(per);
  const changes = [...history, ...soFar, ...tuned].filter(({ kind }) => kind !== 'Rollback');
  const spent = changes.filter(({ at }) => Date.parse(at) > sinceMs).length;
  const needed = makesRoomFor ? 2 : 1;
  if (spent + needed <= actions) return undefined;
  const more = makesRoomFor ? `, and ${needed} would be needed` : '';
  return { guardrail: 'Budget', message: `${spent} actions within ${per}, the budget is ${actions}${more}` };
}

function byTimeNewestFirst(history: Occasion['history']): Occasion['history'] {
  return [...history].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/**
 * Since the last change that was kept. A rollback goes back to before the first step of its incident, so it undoes every step from the one
 * that began at the value it restores; several knobs of one incident go back in a row, which is one failure. What failed was never in
 * effect, or nobody knows: it ends nothing.
 */
function rollbacksInARow(newestFirst: Occasion['history']): number {
  let count = 0;
  let undoing: readonly ActionRecord[] = [];
  for (const [index, action] of newestFirst.entries()) {
    if (action.kind === 'Rollback') {
      // Of a way that was refused: nothing had been changed.
      if (newestFirst[index + 1]?.result === 'Failed') continue;
      if (undoing.length === 0) count += 1;
      undoing = [...undoing, action];
    } else if (action.result !== 'Failed') {
      if (undoing.length === 0) break;
      undoing = undoing.filter(({ knob, after }) => action.knob !== knob || action.before !== after);
    }
  }
  return count;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
