/** Against collections that come too often: GOGC by the formula. Where memory is the clamp and the policy allows Resize, the limit is raised first. */
import { quantityBytes } from '../api/index.ts';
import { gogcOfSetting, type TuneResult, tuneGogc } from '../model/index.ts';
import type { PlanInput } from './input.ts';
import { hasRoomFor, isProposal, type NoProposal, none, type Proposal, type Remedy } from './proposal.ts';
import { limitFor } from './raise-limit.ts';
import { beginGogc, type Chosen, chooseWay, type TakenWay } from './ways.ts';

/** A change of GOGC below this share is not worth a restart of every pod, nor the doubt whether it was this that helped. */
export const WORTHWHILE_CHANGE = 0.1;

export const raiseGogc: Remedy = (input) => {
  const { spec, ways, summary } = input;
  const chosen = chooseWay('GOGC', spec.actions.apply, ways, beginGogc(summary));
  if (typeof chosen === 'string') return none(chosen);
  const tuned = tune(input, chosen);
  const fitting = proposed(input, chosen, tuned);
  // One step of the limit, then as much as fits under it, and then a look at what both did.
  if (hasRoomFor('GOGC', input)) return fitting;
  return moreMemoryFirst(input, chosen, tuned) ?? fitting;
};

function proposed(input: PlanInput, chosen: Chosen, tuned: TuneResult): Proposal | NoProposal {
  const { from, way } = chosen;
  const pointless = noWorthwhileChange(input, chosen, tuned);
  if (pointless) return none(pointless, { knob: 'GOGC', from, clampedBy: [...tuned.clampedBy] });
  const { reason, clampedBy, gogc } = tuned;
  return { way, knob: 'GOGC', from, to: String(gogc), reason, clampedBy, underBytes: limitUnder(way, input) };
}

/**
 * Elastic scaling. GOGC follows once the limit is in effect, in the running process, since a new pod would have the limit of its template;
 * where one step makes no room worth it, the limit is raised for its own sake.
 */
function moreMemoryFirst(input: PlanInput, chosen: Chosen, tuned: TuneResult): Proposal | undefined {
  const { targetGogc, clampedBy, gogc, fits } = tuned;
  const { apply, budget } = input.spec.actions;
  const isClamped = !fits || clampedBy.includes('memory');
  if (!isClamped || !apply.includes('Resize')) return undefined;
  const onlyResize = { ...input, ways: input.ways.filter((way) => way.kind === 'Resize') };
  const limit = limitFor(onlyResize, targetGogc);
  if (!isProposal(limit)) return undefined;
  const why = fits ? `GOGC ${targetGogc} does not fit under the memory limit, only ${gogc} does` : 'no GOGC fits';
  const first = { ...limit, reason: `${limit.reason} First, because ${why}.` };
  const roomy = { ...input, memoryLimitBytes: quantityBytes(limit.to ?? '') ?? null };
  const mayFollow = chosen.way.kind === 'Live' && budget.actions >= 2;
  if (mayFollow && isProposal(proposed(roomy, chosen, tune(roomy, chosen)))) return { ...first, makesRoomFor: 'GOGC' };
  return fits ? undefined : first;
}

function tune(input: PlanInput, { from, way }: Chosen): TuneResult {
  return tuneGogc({
    active: input.activeRobots ?? 0,
    currentGogc: input.summary.gogc ?? gogcOfSetting(from),
    heapLiveBytes: input.summary.heapLiveBytes > 0 ? input.summary.heapLiveBytes : undefined,
    rootsBytes: input.rootsBytes,
    nonGoBytes: input.nonGoBytes,
    memoryLimitBytes: limitUnder(way, input),
    tuning: input.spec.tuning,
  });
}

/** New pods have the limit of their template, which a resize in place did not change; what else changes it on the way may give them less. */
function limitUnder(way: TakenWay, { memoryLimitBytes }: PlanInput): number | undefined {
  const ofTemplate = way.kind === 'Rollout' ? quantityBytes(way.settings.MemoryLimit.setting ?? '') : undefined;
  const limits = [memoryLimitBytes ?? undefined, ofTemplate].filter((bytes) => bytes !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
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
