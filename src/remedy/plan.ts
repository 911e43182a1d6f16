/** From a diagnosis to what is to be done about it, or why nothing is. Pure. */
import type { Plan } from '../api/index.ts';
import { DECISIONS_OF_PEOPLE, PASSING_STATES, sentenceOf } from './guardrails.ts';
import type { Occasion, PlanInput } from './input.ts';
import { patchFor } from './manifest.ts';
import { isProposal, type NoProposal, none, type Proposal } from './proposal.ts';
import { remedyFor } from './remedies.ts';

/** Below it, the evidence does not carry a change of the workload. */
export const MIN_CONFIDENCE = 0.4;

/**
 * `kind: None` = nothing of ours helps, `reason` says why. Another kind without `blockedBy` = to be done now. With `blockedBy` and a
 * `patch` = people decided that we do not act (mode, kill switch, paused): the patch is for them. With `blockedBy` and no `patch` =
 * not now; the same question may be asked again.
 */
export function plan(input: PlanInput, now: Date): Plan {
  const { answer, runbook, passedOver } = remedyFor(input, now);
  const planned = guarded(input, certain(input, answer), now);
  return {
    ...planned,
    ...(runbook && planned.kind !== 'None' ? { runbook } : {}),
    ...(passedOver.length > 0 ? { passedOver: [...passedOver] } : {}),
  };
}

/** Whatever the remedy, the same guardrails. */
export function guarded(input: Occasion, answer: Proposal | NoProposal, now: Date): Plan {
  if (!isProposal(answer)) return answer;
  const { way, knob, from, to, reason, clampedBy, makesRoomFor, underBytes } = answer;
  const room = makesRoomFor ? { makesRoomFor } : {};
  const under = way.kind === 'Live' && underBytes ? { underBytes } : {};
  const proposed: Plan = { kind: way.kind, knob, from, to, reason, ...room, ...under, clampedBy: [...clampedBy] };
  const objections = (guardrails: typeof PASSING_STATES) =>
    guardrails.flatMap((guardrail) => guardrail(input, now, answer) ?? []);
  const decided = objections(DECISIONS_OF_PEOPLE);
  if (decided.length > 0) return { ...proposed, blockedBy: decided.map(sentenceOf), patch: patchFor(answer) };
  const passing = objections(PASSING_STATES);
  return passing.length > 0 ? { ...proposed, blockedBy: passing.map(sentenceOf) } : proposed;
}

function certain({ diagnosis }: PlanInput, answer: Proposal | NoProposal): Proposal | NoProposal {
  if (!isProposal(answer) || diagnosis.confidence >= MIN_CONFIDENCE) return answer;
  return none(
    `The diagnosis is too uncertain to act on: confidence ${diagnosis.confidence}, needed ${MIN_CONFIDENCE}.`,
  );
}
