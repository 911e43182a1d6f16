/** Which runbook answers a diagnosis: the first of the policy's that can, and why the others do not. Pure. */
import { type PassedOver, RunbookName } from '../api/index.ts';
import { onlyBuysTime } from './buy-time.ts';
import { raiseGoMemLimit } from './go-mem-limit.ts';
import type { PlanInput } from './input.ts';
import { hasRoomFor, isProposal, type NoProposal, none, type Proposal } from './proposal.ts';
import { raiseGogc } from './raise-gogc.ts';
import { RUNBOOKS } from './runbooks.ts';
import { inPlace } from './ways.ts';

export interface Choice {
  readonly answer: Proposal | NoProposal;
  /** Undefined: none of them. */
  readonly runbook?: RunbookName | undefined;
  /** Those that are made for the cause as well, in the order of the policy. */
  readonly passedOver: readonly PassedOver[];
}

/** What room was made for is next, whatever else would help. */
export function remedyFor(input: PlanInput, now: Date): Choice {
  const inRoom = { ...input, ways: inPlace(input.ways) };
  if (hasRoomFor('GOGC', input)) return { answer: raiseGogc(inRoom), runbook: 'RaiseGogc', passedOver: [] };
  if (hasRoomFor('GOMEMLIMIT', input)) {
    const runbook = onlyBuysTime(input.diagnosis.cause) ? 'BuyTime' : 'RaiseMemoryLimit';
    return { answer: raiseGoMemLimit(inRoom), runbook, passedOver: [] };
  }
  return byOrder(input, now);
}

function byOrder(input: PlanInput, now: Date): Choice {
  const { diagnosis, spec } = input;
  const made = RunbookName.options.filter((name) => RUNBOOKS[name].against.includes(diagnosis.cause));
  const chosen = spec.actions.runbooks ?? RunbookName.options;
  const inOrder = chosen.filter((name) => made.includes(name));
  const left = made.filter((name) => !chosen.includes(name));
  let taken: { readonly answer: Proposal; readonly runbook: RunbookName } | undefined;
  const passedOver: PassedOver[] = [];
  for (const runbook of inOrder) {
    const answer = taken ? none(`${taken.runbook} comes first.`) : tried(runbook, input, now);
    if (isProposal(answer)) taken = { answer, runbook };
    else passedOver.push({ runbook, reason: answer.reason });
  }
  const whyNot = [...passedOver, ...left.map((runbook) => ({ runbook, reason: 'It is not in actions.runbooks.' }))];
  return taken ? { ...taken, passedOver: whyNot } : { answer: nothing(input, passedOver, left), passedOver: whyNot };
}

function tried(name: RunbookName, input: PlanInput, now: Date): Proposal | NoProposal {
  const { preconditions, remedy } = RUNBOOKS[name];
  for (const precondition of preconditions) {
    const unmet = precondition(input, now);
    if (unmet !== undefined) return none(unmet);
  }
  return remedy(input);
}

function nothing(
  { diagnosis: { cause, remedy } }: PlanInput,
  passedOver: readonly PassedOver[],
  left: readonly RunbookName[],
): NoProposal {
  if (passedOver.length > 0) return none([...new Set(passedOver.map(({ reason }) => reason))].join(' '));
  if (left.length > 0) return none(`${cause}: actions.runbooks has none of ${left.join(', ')}.`);
  return none(`${cause}: ${remedy ?? 'nothing that robotgc may change helps.'}`);
}
