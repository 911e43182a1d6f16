/** From a diagnosis to what is to be done about it, or why nothing is. Pure. */
import type { Plan } from '../api/index.ts';
import { GC_COST_SIGNALS, gogcOfSetting, type TuneResult, tuneGogc } from '../model/index.ts';
import { DECISIONS_OF_PEOPLE, type Objection, PASSING_STATES } from './guardrails.ts';
import type { PlanInput } from './input.ts';
import { manifestFor } from './manifest.ts';
import { type Chosen, chooseWay } from './ways.ts';

/** A change of GOGC below this share is not worth a restart of every pod, nor the doubt whether it was this that helped. */
export const WORTHWHILE_CHANGE = 0.1;
/** Below it, the evidence does not carry a restart of the workload. */
export const MIN_CONFIDENCE = 0.4;

/**
 * `kind: None` = nothing of ours helps, `reason` says why. Another kind without `blockedBy` = to be done now. With `blockedBy` and a
 * `patch` = people decided that we do not act (mode, kill switch, paused): the patch is for them. With `blockedBy` and no `patch` =
 * not now; the same question may be asked again.
 */
export function plan(input: PlanInput, now: Date): Plan {
  const obstacle = noRemedy(input);
  if (obstacle) return { kind: 'None', reason: obstacle };
  const chosen = chooseWay(input.spec.actions.apply, input.ways, input.summary);
  if (typeof chosen === 'string') return { kind: 'None', reason: chosen };
  const { way, from } = chosen;
  const tuned = tune(input, chosen);
  const pointless = noWorthwhileChange(input, chosen, tuned);
  if (pointless) return { kind: 'None', knob: 'GOGC', from, reason: pointless, clampedBy: [...tuned.clampedBy] };

  const to = String(tuned.gogc);
  const proposed: Plan = {
    kind: way.kind,
    knob: 'GOGC',
    from,
    to,
    reason: tuned.reason,
    clampedBy: [...tuned.clampedBy],
  };
  const objections = (guardrails: typeof PASSING_STATES) =>
    guardrails.flatMap((guardrail) => guardrail(input, now) ?? []);
  const decided = objections(DECISIONS_OF_PEOPLE);
  if (decided.length > 0) return { ...proposed, blockedBy: decided.map(sentence), patch: patchFor(way, to) };
  const passing = objections(PASSING_STATES);
  return passing.length > 0 ? { ...proposed, blockedBy: passing.map(sentence) } : proposed;
}

/** For people to apply: the manifest of a rollout, or what to start the program with. */
function patchFor(way: Chosen['way'], gogc: string): string {
  return way.kind === 'Rollout' ? manifestFor(way, gogc) : `GOGC=${gogc}`;
}

function noRemedy({ signal, diagnosis }: PlanInput): string | undefined {
  if (diagnosis.cause !== 'GogcTooLow') {
    return `${diagnosis.cause}: ${diagnosis.remedy ?? 'nothing that robotgc may change helps.'}`;
  }
  // It may be true and still not the reason for this incident: several signals can be over their limits at once.
  if (!GC_COST_SIGNALS.has(signal)) {
    return `${diagnosis.cause}: ${diagnosis.summary} A higher GOGC does not lower ${signal}, and nothing else that robotgc may change does.`;
  }
  if (diagnosis.confidence < MIN_CONFIDENCE) {
    return `The diagnosis is too uncertain to act on: confidence ${diagnosis.confidence}, needed ${MIN_CONFIDENCE}.`;
  }
  return undefined;
}

function tune(input: PlanInput, { from }: Chosen): TuneResult {
  return tuneGogc({
    active: input.activeRobots ?? 0,
    currentGogc: input.summary.gogc ?? gogcOfSetting(from),
    heapLiveBytes: input.summary.heapLiveBytes > 0 ? input.summary.heapLiveBytes : undefined,
    rootsBytes: input.rootsBytes,
    nonGoBytes: input.nonGoBytes,
    memoryLimitBytes: input.memoryLimitBytes ?? undefined,
    tuning: input.spec.tuning,
  });
}

function noWorthwhileChange({ summary }: PlanInput, { from }: Chosen, tuned: TuneResult): string | undefined {
  if (!tuned.fits) return tuned.reason;
  const current = summary.gogc ?? gogcOfSetting(from);
  // GogcTooLow can only be cured upwards; where step or memory leave no room upwards, acting would make it worse.
  if (current < 0 || tuned.gogc <= current) return `GOGC ${current} cannot be raised: ${tuned.reason}`;
  const change = (tuned.gogc - current) / Math.max(1, current);
  if (change >= WORTHWHILE_CHANGE) return undefined;
  return `GOGC ${current} → ${tuned.gogc} is a change of ${(change * 100).toFixed(1)} %, less than ${WORTHWHILE_CHANGE * 100} %.`;
}

function sentence({ guardrail, message }: Objection): string {
  return `${guardrail}: ${message}`;
}
