/** What continuous tuning did to a workload, as its policies' statuses say. Pure. */
import type { ActionRecord, RobotGCPolicy } from '../../api/index.ts';

/** @param fresh one of the policies as it was read just now: what it says counts */
export function tunedBy(
  policies: readonly RobotGCPolicy[],
  ownerUid: string | undefined,
  fresh?: RobotGCPolicy,
): ActionRecord[] {
  const others = fresh ? policies.filter(({ metadata }) => metadata.uid !== fresh.metadata.uid) : policies;
  return [...others, ...(fresh ? [fresh] : [])]
    .flatMap(({ status }) => status.tuning ?? [])
    .filter(({ owner }) => owner.uid === ownerUid)
    .flatMap(({ actions }) => actions ?? []);
}
