/** What must hold before a runbook is tried. One precondition, one small function: `input → sentence | none`, with the number that decided. Pure. */
import { GC_COST_SIGNALS, MEMORY_SIGNALS, NEAR_LIMIT } from '../model/index.ts';
import type { PlanInput } from './input.ts';
import { mebibytes } from './words.ts';

export type Precondition = (input: PlanInput, now: Date) => string | undefined;

const OF_THE_LIMIT: ReadonlySet<string> = new Set(['liveHeapShareOfLimit', 'oomKills', 'allocationFailures']);

/** A cause may be true and still not the reason for this incident: several signals can be over their limits at once. */
export const gcCostIsTheBreach: Precondition = ({ diagnosis, signal }) =>
  GC_COST_SIGNALS.has(signal)
    ? undefined
    : `${diagnosis.cause}: ${diagnosis.summary} A higher GOGC does not lower ${signal}, and nothing else that robotgc may change does.`;

export const moreMemoryLowersTheBreach: Precondition = ({ diagnosis, signal }) =>
  GC_COST_SIGNALS.has(signal) || MEMORY_SIGNALS.has(signal) || OF_THE_LIMIT.has(signal)
    ? undefined
    : `${diagnosis.cause}: ${diagnosis.summary} More memory does not lower ${signal}.`;

/** More collecting costs more: no answer to a collector that costs too much already. */
export const memoryIsTheBreach: Precondition = ({ signal }) =>
  MEMORY_SIGNALS.has(signal) || OF_THE_LIMIT.has(signal) ? undefined : `A smaller heap does not lower ${signal}.`;

export const nothingHoldsTheHeapBack: Precondition = ({ goMemLimitBytes: bytes, memoryLimitBytes }) => {
  if (bytes === undefined) return 'GOMEMLIMIT is not known yet.';
  if (bytes === null || memoryLimitBytes === null || bytes > memoryLimitBytes) return undefined;
  return `GOMEMLIMIT of ${mebibytes(bytes)} holds the heap back already.`;
};

export const memoryIsAtItsEnd: Precondition = ({ diagnosis, memoryLimitBytes, useBytes = 0 }) =>
  memoryLimitBytes !== null && useBytes >= NEAR_LIMIT * memoryLimitBytes
    ? undefined
    : `${diagnosis.cause}: ${diagnosis.summary} It is not tuned away; nothing that robotgc may change helps.`;

export const noTimeWasBought: Precondition = ({ diagnosis, history }) => {
  const raised = history.find(
    ({ knob, kind, result }) => knob === 'MemoryLimit' && kind !== 'Rollback' && result === 'Completed',
  );
  return (
    raised &&
    `${diagnosis.cause}: ${diagnosis.summary} The memory limit was raised already (${raised.at}): time was bought once.`
  );
};

export const restartsAreAllowed: Precondition = ({ spec }) =>
  spec.actions.apply.includes('Restart') ? undefined : 'actions.apply has no Restart: no pod is made anew.';

/** What fills its memory sooner would be made anew without end. */
const RESTARTS_APART_MS = 3_600_000;

export const notStartedAnewLately: Precondition = ({ diagnosis, history }, now) => {
  const last = history
    .filter(({ kind, result }) => kind === 'Restart' && result === 'Completed')
    .reduce((newest, { at }) => Math.max(newest, Date.parse(at)), 0);
  const sinceMs = now.getTime() - last;
  if (sinceMs >= RESTARTS_APART_MS) return undefined;
  const apart = `at least ${RESTARTS_APART_MS / 60_000} min lie between two`;
  return `${diagnosis.cause}: ${diagnosis.summary} A pod was made anew ${Math.round(sinceMs / 60_000)} min ago, ${apart}: it would be a loop.`;
};
