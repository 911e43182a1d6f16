/** Whose containers' windows the operator is to have. Pure. */
import type { RobotGCPolicy } from '../../api/index.ts';
import { keyOf } from '../../kube/index.ts';

/** @param open keys of the policies with an incident that is not over */
export function reportedPolicies(open: ReadonlySet<string>, policies: readonly RobotGCPolicy[]): Set<string> {
  const tuned = policies.filter(({ spec }) => spec.tuning.continuous);
  return new Set([...open, ...tuned.map(({ metadata }) => keyOf(metadata))]);
}
