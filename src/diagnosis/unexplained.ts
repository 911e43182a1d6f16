/** A signal is over its limit, and none of the causes we know fits: said as it is, with the numbers, and left to people. */
import { checkOf, quantity } from '../model/index.ts';
import type { Facts, Finding } from './evidence.ts';
import { gcEvidence } from './words.ts';

export function unexplained(facts: Facts): Finding[] {
  const { recent, evidence } = facts;
  if (evidence.trigger === undefined) return [];
  const check = checkOf(evidence.trigger);
  const limit = check.threshold(evidence.thresholds);
  const values = recent.flatMap((window) => check.observe(window) ?? []);
  if (values.length === 0) return [];
  const worst = quantity(
    check.summed ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values),
    check.unit,
  );
  const against = limit === undefined ? 'no limit any more' : `limit ${quantity(limit, check.unit)}`;
  return [
    {
      cause: 'Unexplained',
      summary: `None of the causes that robotgc knows fits ${check.name} over its limit.`,
      confidence: 0,
      evidence: [`${check.name} up to ${worst} over ${values.length} windows, ${against}`, ...gcEvidence(facts)],
      refutedBy: 'The profiles of the bundle, or what else happened on the node at that time, show a cause.',
    },
  ];
}
