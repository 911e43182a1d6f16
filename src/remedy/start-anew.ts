/** Against a leak that has filled what memory there is: the pod is made anew, before the kernel kills it or the collector takes all of its CPU. People have to mend it. */
import { none, type Remedy } from './proposal.ts';
import { beginRestart, chooseWay } from './ways.ts';

export const startAnew: Remedy = ({ diagnosis, spec, ways }) => {
  const restart = spec.actions.apply.filter((way) => way === 'Restart');
  const chosen = chooseWay('Pod', restart, ways, beginRestart);
  if (typeof chosen === 'string') return none(chosen);
  const reason = `${diagnosis.summary} Memory is at its end, so the pod is made anew: it begins with an empty heap, and leaks again.`;
  return { ...chosen, knob: 'Pod', to: 'made anew', reason, clampedBy: [] };
};
