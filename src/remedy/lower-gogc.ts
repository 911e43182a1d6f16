/** Against a heap that grows past its memory before it is collected: GOGC down to what fits, where neither limit can be moved. */
import { highestFittingGogc } from '../model/index.ts';
import { none, type Remedy } from './proposal.ts';
import { WORTHWHILE_CHANGE } from './raise-gogc.ts';
import { beginGogc, chooseWay } from './ways.ts';

export const lowerGogc: Remedy = ({ spec, summary, ways, memoryLimitBytes, rootsBytes, nonGoBytes }) => {
  const { gogc: now, heapLiveBytes } = summary;
  if (memoryLimitBytes === null) return none('There is no memory limit that GOGC would have to fit under.');
  if (now === null || now < 1) return none('GOGC in effect is off, or not known: there is nothing to lower.');
  const facts = { heapLiveBytes, rootsBytes, nonGoBytes, memoryLimitBytes };
  const fitting = highestFittingGogc(facts, spec.tuning.memoryLimit.goMemLimit);
  if (fitting === undefined) return none('The live heap is not known.');
  const { gogc: to, formula } = fitting;
  if (to > now * (1 - WORTHWHILE_CHANGE)) return none(`GOGC ${now} fits: ${formula} → at most ${to}.`);
  const { min } = spec.tuning.gogc;
  if (to < min) return none(`GOGC ${to} would fit, the policy's minimum is ${min}: memory is the remedy, not GOGC.`);
  const chosen = chooseWay('GOGC', spec.actions.apply, ways, beginGogc(summary));
  if (typeof chosen === 'string') return none(chosen);
  const reason = `GOGC goes from ${now} to ${to}, the highest whose heap goal fits under the memory limit.`;
  return { ...chosen, knob: 'GOGC', to: String(to), reason, clampedBy: ['memory'], underBytes: memoryLimitBytes };
};
