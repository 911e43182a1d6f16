/** What stands between a remedy and the workload. One guardrail, one small function: `(input, now) → objection | none`. */
import { durationMs } from '../api/index.ts';
import { STALE_AFTER_WINDOWS } from '../model/index.ts';
import type { PlanInput } from './input.ts';

export interface Objection {
  readonly guardrail: string;
  /** One sentence with the number that decided. */
  readonly message: string;
}

export type Guardrail = (input: PlanInput, now: Date) => Objection | undefined;

/** Decisions of people: they do not pass with time, so the plan is shown instead of carried out. */
export const DECISIONS_OF_PEOPLE: readonly Guardrail[] = [mode, killSwitch, paused];

/** States that pass: the same plan may be carried out later. */
export const PASSING_STATES: readonly Guardrail[] = [
  staleSignals,
  oneActionInFlight,
  rolloutInProgress,
  cooldown,
  budget,
];

function mode({ spec }: PlanInput): Objection | undefined {
  if (spec.actions.mode === 'Auto') return undefined;
  return { guardrail: 'Mode', message: `the policy's mode is ${spec.actions.mode}, not Auto` };
}

function killSwitch(input: PlanInput): Objection | undefined {
  return input.killSwitch
    ? { guardrail: 'KillSwitch', message: 'the operator runs with its kill switch on' }
    : undefined;
}

function paused({ paused: isPaused, subject }: PlanInput): Objection | undefined {
  return isPaused ? { guardrail: 'Paused', message: `${subject} is annotated as paused` } : undefined;
}

function staleSignals({ newestWindowAgeMs: ageMs, windowPeriodMs = 1000 }: PlanInput): Objection | undefined {
  if (ageMs === null) return { guardrail: 'StaleSignals', message: 'no signal window has arrived' };
  const limitMs = STALE_AFTER_WINDOWS * windowPeriodMs;
  if (ageMs <= limitMs) return undefined;
  const message = `the newest window is ${Math.round(ageMs)} ms old, more than ${limitMs} ms`;
  return { guardrail: 'StaleSignals', message };
}

function oneActionInFlight({ history, busyWith }: PlanInput): Objection | undefined {
  if (busyWith !== undefined)
    return { guardrail: 'OneActionInFlight', message: `incident ${busyWith} is acting on this workload` };
  const open = history.find(({ result }) => result === 'Pending' || result === 'Applied');
  if (!open) return undefined;
  return { guardrail: 'OneActionInFlight', message: `the action of ${open.at} is still ${open.result}` };
}

/** Whatever the way: what a rollout of others does to the signals would be taken for ours. */
function rolloutInProgress({ ways, subject }: PlanInput): Objection | undefined {
  const isRolling = ways.some((way) => way.kind === 'Rollout' && way.inProgress);
  return isRolling ? { guardrail: 'RolloutInProgress', message: `${subject} is rolling out` } : undefined;
}

/** At most 64 times the policy's cool-down. */
const MAX_DOUBLINGS = 6;

/** Doubles with each rollback since the last change that was kept: what failed once is not tried as soon again. */
function cooldown({ spec, history }: PlanInput, now: Date): Objection | undefined {
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

/** A rollback is always allowed and costs nothing: only changes count. */
function budget({ spec, history }: PlanInput, now: Date): Objection | undefined {
  const { actions, per } = spec.actions.budget;
  const sinceMs = now.getTime() - durationMs(per);
  const spent = history.filter((action) => action.kind !== 'Rollback' && Date.parse(action.at) > sinceMs).length;
  if (spent < actions) return undefined;
  return { guardrail: 'Budget', message: `${spent} actions within ${per}, the budget is ${actions}` };
}

function byTimeNewestFirst(history: PlanInput['history']): PlanInput['history'] {
  return [...history].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** History alternates change, rollback, change, rollback while nothing is kept; two changes in a row mean that the older one was. */
function rollbacksInARow(newestFirst: PlanInput['history']): number {
  let count = 0;
  let newerIsChange = false;
  for (const { kind } of newestFirst) {
    const isChange = kind !== 'Rollback';
    if (isChange && newerIsChange) break;
    if (!isChange) count += 1;
    newerIsChange = isChange;
  }
  return count;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
