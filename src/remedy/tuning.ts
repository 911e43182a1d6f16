/** The formula without any breach: which GOGC a workload is to have now, and what stands against it. Pure. */
import { type ActionRecord, type Changed, durationMs, type Plan } from '../api/index.ts';
import { gogcOfSetting, goMemLimitUnder, isOnTheWayIn, isOutside, type TuneResult, tuneGogc } from '../model/index.ts';
import { MIN_WINDOWS } from './comparable.ts';
import { type Objection, sentenceOf } from './guardrails.ts';
import { holdHeap, releaseHeap } from './hold-heap.ts';
import { type LowerInput, lowerLimit } from './lower-limit.ts';
import { guarded } from './plan.ts';
import { isProposal, type NoProposal, none, type Proposal } from './proposal.ts';
import { WORTHWHILE_CHANGE } from './raise-gogc.ts';
import type { TuningFacts } from './tuning-facts.ts';
import { beginGogc, chooseWay } from './ways.ts';

/** `tuned` is what continuous tuning did to the workload. */
export type TuningInput = LowerInput;

/** As `plan` answers: nothing of the formula comes past a guardrail that holds a breach's remedy, and its own besides. */
export function planTuning(input: TuningInput, now: Date): Plan {
  const { history, tuned } = input;
  // Other than a breach, it waits for its own cool-down too.
  const planned = guarded({ ...input, history: [...history, ...tuned], tuned: [] }, wanted(input, now), now);
  if (planned.kind === 'None' || planned.patch !== undefined) return planned;
  const own = OWN_GUARDRAILS.flatMap((guardrail) => guardrail(input, planned, now) ?? []).map(sentenceOf);
  const blockedBy = [...(planned.blockedBy ?? []), ...own];
  return blockedBy.length > 0 ? { ...planned, blockedBy } : planned;
}

/** The formula first, so that no wave of robots waits for memory that is tidied up; then the way down, so that nothing holds the heap for a limit that goes. */
function wanted(input: TuningInput, now: Date): Proposal | NoProposal {
  const answer = followFormula(input);
  if (isProposal(answer) || whyUnknown(input.facts) !== undefined) return answer;
  const lower = lowerLimit(input, now);
  if (lower) return lower;
  const goMemLimit = input.spec.tuning.memoryLimit.holdHeap ? holdHeap(input) : releaseHeap(input);
  return goMemLimit ?? answer;
}

/** In the running processes alone: a rollout for each wave would drop the very connections that the formula counts. */
function followFormula({ facts, spec, ways }: TuningInput): Proposal | NoProposal {
  const unknown = whyUnknown(facts);
  const [gogc] = facts.gogcs;
  if (unknown !== undefined || gogc === undefined || facts.activeRobots === null)
    return none(unknown ?? 'GOGC in effect is not known.');
  const live = spec.actions.apply.filter((way) => way === 'Live');
  const chosen = chooseWay('GOGC', live, ways, beginGogc({ gogc }));
  if (typeof chosen === 'string') return none(chosen);
  const { heapLiveBytes, rootsBytes, nonGoBytes, memoryLimitBytes } = facts;
  const tuned = tuneGogc({
    active: facts.activeRobots,
    currentGogc: gogc,
    heapLiveBytes,
    rootsBytes,
    nonGoBytes,
    memoryLimitBytes: memoryLimitBytes ?? undefined,
    tuning: spec.tuning,
  });
  const pointless = whyPointless(tuned, gogc, { facts, spec });
  if (pointless !== undefined) return none(pointless, { knob: 'GOGC', from: chosen.from });
  const { reason: why, clampedBy } = tuned;
  const { min, max } = spec.tuning.gogc;
  const reason = isOutside(tuned.gogc, { min, max })
    ? `${why} The policy's ${min} to ${max} are not reached yet.`
    : why;
  return { ...chosen, knob: 'GOGC', to: String(tuned.gogc), reason, clampedBy, underBytes: memoryLimitBytes };
}

function whyPointless(tuned: TuneResult, from: number, input: Pick<TuningInput, 'facts' | 'spec'>): string | undefined {
  if (!tuned.fits) return tuned.reason;
  const held = heldAlready(tuned, from, input);
  if (held !== undefined) return held;
  const { min, max } = input.spec.tuning.gogc;
  // Found outside, it may take more than one step to get in.
  if (isOutside(tuned.gogc, { min, max }) && !isOnTheWayIn(tuned.gogc, from, { min, max }))
    return `GOGC ${tuned.gogc} is outside of the policy's ${min} to ${max}, in which alone it is set live: ${tuned.reason}`;
  return tooSmall(from, tuned.gogc);
}

/** A lower GOGC would only collect more often: what does not fit, the runtime itself holds back, and no sooner than it must. */
function heldAlready(
  { gogc, targetGogc, clampedBy }: TuneResult,
  from: number,
  { facts: { goMemLimits, memoryLimitBytes }, spec }: Pick<TuningInput, 'facts' | 'spec'>,
): string | undefined {
  const isForMemory = clampedBy.includes('memory') && gogc < from && targetGogc >= from;
  if (!isForMemory || memoryLimitBytes === null) return undefined;
  const highest = goMemLimitUnder(memoryLimitBytes, 0, spec.tuning.memoryLimit.goMemLimit);
  const isHeld = goMemLimits.length > 0 && goMemLimits.every((bytes) => bytes !== null && bytes <= highest);
  return isHeld
    ? `GOGC ${from} stays: GOMEMLIMIT holds the heap under the memory limit where it does not fit.`
    : undefined;
}

function whyUnknown({ pods, windows, activeRobots, gogcs }: TuningFacts): string | undefined {
  if (pods === 0) return 'No pod of the workload is ready.';
  if (windows < MIN_WINDOWS) return `${windows} windows of a pod have arrived, at least ${MIN_WINDOWS} are needed.`;
  if (activeRobots === null) return 'The number of active robots is not known of every pod.';
  if (gogcs.length === 0) return 'GOGC in effect is not known of every pod yet: no cycle was seen.';
  if (gogcs.length > 1) return `GOGC in effect differs between the pods: ${gogcs.join(', ')}.`;
  if (gogcs.some((gogc) => gogc < 1)) return 'GOGC is off: there is nothing to follow with.';
  return undefined;
}

/** Hysteresis: otherwise GOGC would follow every robot that comes or goes. */
function tooSmall(from: number, to: number): string | undefined {
  const change = Math.abs(to - from) / from;
  if (change >= WORTHWHILE_CHANGE) return undefined;
  if (to === from) return `GOGC ${from} is what the formula asks for.`;
  return `GOGC ${from} → ${to} is a change of ${(change * 100).toFixed(1)} %, less than ${WORTHWHILE_CHANGE * 100} %.`;
}

type OwnGuardrail = (input: TuningInput, planned: Plan, now: Date) => Objection | undefined;

const OWN_GUARDRAILS: readonly OwnGuardrail[] = [desiredAlready, tuningBudget, takenBack, refused];

/** The windows are some seconds behind the agents: what was just set would be set once more, and cost of the budget. */
function desiredAlready({ wishes }: TuningInput, { kind, knob, to, underBytes }: Plan): Objection | undefined {
  const wish = kind === 'Live' && (knob === 'GOGC' || knob === 'GOMEMLIMIT') ? wishes?.[knob] : undefined;
  if (wish?.to !== to || wish?.underBytes !== underBytes) return undefined;
  return {
    guardrail: 'DesiredAlready',
    message: `${knob} ${to} is desired already, and not in effect by the signals yet`,
  };
}

/** At least a half of the budget is left to breaches. */
function tuningBudget({ spec, tuned }: TuningInput, _planned: Plan, now: Date): Objection | undefined {
  const { actions, per } = spec.actions.budget;
  const share = Math.min(MOST_TUNINGS, Math.max(1, Math.floor(actions / 2)));
  const sinceMs = now.getTime() - durationMs(per);
  const spent = tuned.filter(({ kind, at }) => kind !== 'Rollback' && Date.parse(at) > sinceMs).length;
  if (spent < share) return undefined;
  return { guardrail: 'TuningBudget', message: `${spent} changes within ${per}, breaches are left all but ${share}` };
}

/** So many can be remembered in a status. */
export const MOST_TUNINGS = 50;

/** What an incident tried and took back is not tried again without one, nor anything beyond it. */
function takenBack({ history }: TuningInput, { knob, to }: Plan): Objection | undefined {
  const last = newestOf('GOGC', history);
  if (knob !== 'GOGC' || last?.kind !== 'Rollback') return undefined;
  const [tried, restored, wanted] = [gogcOfSetting(last.before), gogcOfSetting(last.after), Number(to)];
  const isAsFar =
    tried > restored ? wanted * (1 + WORTHWHILE_CHANGE) > tried : wanted < tried * (1 + WORTHWHILE_CHANGE);
  if (!isAsFar) return undefined;
  return { guardrail: 'TakenBack', message: `GOGC ${last.before} was taken back at ${last.at}` };
}

/** What the agents refused once, they will most likely refuse again. */
function refused({ spec, tuned }: TuningInput, { knob }: Plan, now: Date): Objection | undefined {
  const changes = tuned.filter(({ kind }) => kind !== 'Rollback');
  const last = newestOf(knob, changes);
  const { per } = spec.actions.budget;
  if (last?.result !== 'Failed' || now.getTime() - Date.parse(last.at) >= durationMs(per)) return undefined;
  return {
    guardrail: 'Refused',
    message: `it failed at ${last.at} and is not tried again within ${per}: ${last.message}`,
  };
}

function newestOf(knob: Changed | undefined, actions: readonly ActionRecord[]): ActionRecord | undefined {
  return actions
    .filter((action) => action.knob === knob)
    .toSorted((a, b) => a.at.localeCompare(b.at))
    .at(-1);
}
