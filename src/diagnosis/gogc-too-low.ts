/** GC is over its budget and the collector runs more often than the formula asks for: GOGC is the lever. */
import type { CauseCheck } from './evidence.ts';
import { gcEvidence, percent, together } from './words.ts';

/** A smaller difference would not be worth an action, and cannot explain a breach. */
const WORTHWHILE = 1.1;
/** Where the memory limit triggers the cycles, raising GOGC changes nothing. */
const MOSTLY_LIMIT_DRIVEN = 0.5;

export const gogcTooLow: CauseCheck = (facts) => {
  const { summary, targetGogc: target, limitDrivenShare } = facts;
  const gogc = summary.gogc;
  if (!facts.gcOverBudget || gogc === null || gogc < 0 || target === undefined) return undefined;
  if (target < Math.max(1, gogc) * WORTHWHILE || limitDrivenShare >= MOSTLY_LIMIT_DRIVEN) return undefined;
  const factor = target / Math.max(1, gogc);
  const profileShare = facts.evidence.capture?.gcCpuShareOfProfile;
  const active = facts.activeRobots === null ? 'an unknown number of' : `${facts.activeRobots}`;
  const seen = profileShare !== undefined && profileShare > facts.evidence.thresholds.gcCpuShare;
  return {
    cause: 'GogcTooLow',
    summary: `GOGC ${gogc} makes the collector run more often than ${active} active robots need; the formula asks for ${target}.`,
    // From 10 % above (weak) to four times (strong): the larger the gap, the more of the GC work it explains.
    confidence: together([
      0.4 + 0.4 * Math.min(1, Math.log2(factor) / 2),
      0.3 * (1 - limitDrivenShare),
      seen ? 0.4 : 0,
    ]),
    evidence: [
      ...gcEvidence(facts),
      `GOGC in effect ${gogc}, formula within bounds and memory ${target}`,
      `${percent(limitDrivenShare)} of the cycles were triggered by the memory limit`,
      ...(profileShare === undefined ? [] : [`${percent(profileShare)} of the CPU profile is garbage collection`]),
    ],
    refutedBy: 'GC CPU share and stalls stay as they are once GOGC is higher and the heap goal has grown with it.',
    remedy: `Raise GOGC from ${gogc} towards ${target}.`,
  };
};
