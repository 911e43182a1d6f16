/** What continuous tuning says again and remembers from one look to the next. Pure. */
import { type ActionRecord, durationMs, type Plan, type PolicySpec } from '../api/index.ts';
import { sentenceOf } from './guardrails.ts';
import { WORTHWHILE_CHANGE } from './raise-gogc.ts';
import { MOST_TUNINGS } from './tuning.ts';

/** The numbers in a sentence change all the time; only another sentence is news, or a value that is another by as much as would be changed. */
export function isNews(known: Plan, plan: Plan): boolean {
  const [was, is] = [Number(known.to ?? Number.NaN), Number(plan.to ?? Number.NaN)];
  return sentencesOf(known) !== sentencesOf(plan) || Math.abs(is - was) >= WORTHWHILE_CHANGE * was;
}

/**
 * With what really stands against it alone; undefined: nothing does. What waits for the cool-down is to be made, if not at once, and what is
 * desired already has been made.
 */
export function heldBack(plan: Plan): Plan | undefined {
  const by = (guardrail: string) => (sentence: string) => sentence.startsWith(sentenceOf({ guardrail, message: '' }));
  const blockedBy = (plan.blockedBy ?? []).filter((sentence) => !by('Cooldown')(sentence));
  return blockedBy.length === 0 || blockedBy.some(by('DesiredAlready')) ? undefined : { ...plan, blockedBy };
}

/** What stands against a change, or why there is none. */
function sentencesOf({ kind, reason, blockedBy = [] }: Plan): string {
  return [kind, ...(kind === 'None' ? [reason] : blockedBy)].join().replaceAll(/[0-9][0-9T:.Z-]*/g, '#');
}

/** All that guardrails may ask for: those of the budget's period, and the newest whatever their age. */
export function remembered(
  actions: readonly ActionRecord[],
  { actions: { budget } }: PolicySpec,
  nowMs: number,
): readonly ActionRecord[] {
  const oldest = nowMs - durationMs(budget.per);
  const kept = actions.filter(({ at }, index) => Date.parse(at) > oldest || index >= actions.length - NEWEST);
  return kept.slice(-2 * MOST_TUNINGS);
}
const NEWEST = 10;
