/** GOMEMLIMIT under the memory limit in effect: raised where it alone drives the collector, set where nothing holds the heap back. */
import { ratio } from '../api/index.ts';
import { goMemLimitUnder, heapGoalBytes, LIVE_HEAP_OF_GOMEMLIMIT } from '../model/index.ts';
import type { PlanInput } from './input.ts';
import { type NoProposal, none, type Proposal, type Remedy } from './proposal.ts';
import { beginGoMemLimit, chooseWay } from './ways.ts';
import { mebibytes } from './words.ts';

/** A smaller difference is the rounding of who set it. */
const WORTHWHILE = 0.02;

/** Upwards, where the container has room that the collector may not use. */
export const raiseGoMemLimit: Remedy = (input) => {
  const fitting = fittingBytes(input);
  const { goMemLimitBytes: now } = input;
  if (fitting === undefined || now === undefined || now === null) return none('No GOMEMLIMIT is in effect.');
  if (now >= fitting * (1 - WORTHWHILE))
    return none(`GOMEMLIMIT of ${mebibytes(now)} is what the memory limit has room for.`);
  const step = Math.floor(now * (1 + ratio(input.spec.tuning.memoryLimit.step)));
  const to = Math.min(fitting, step);
  const reason = `GOMEMLIMIT goes from ${mebibytes(now)} to ${mebibytes(to)}: the memory limit has room for ${mebibytes(fitting)}.`;
  return proposed(input, to, reason, to < fitting * (1 - WORTHWHILE) ? ['maxStep'] : []);
};

/** Where OOM threatens and the limit cannot be raised: the collector holds the heap back, unless it would collect without end. */
export const holdBack: Remedy = (input) => {
  const fitting = fittingBytes(input);
  const { summary, rootsBytes = 0, nonGoBytes = 0 } = input;
  if (fitting === undefined) return none('There is no memory limit that the heap would grow past.');
  if (summary.heapLiveBytes > LIVE_HEAP_OF_GOMEMLIMIT * fitting) {
    return none(
      `The live heap of ${mebibytes(summary.heapLiveBytes)} is more than ${LIVE_HEAP_OF_GOMEMLIMIT * 100} % of the ${mebibytes(fitting)} that GOMEMLIMIT could be: the collector would never rest.`,
    );
  }
  const goal = heapGoalBytes(summary.heapLiveBytes, rootsBytes, Math.max(0, summary.gogc ?? 100));
  if (summary.gogc !== null && summary.gogc >= 0 && goal + nonGoBytes <= fitting)
    return none(`The heap goal of ${mebibytes(goal)} fits under the memory limit.`);
  return proposed(input, fitting, `GOMEMLIMIT of ${mebibytes(fitting)} holds the heap under the memory limit.`, []);
};

function fittingBytes({ memoryLimitBytes, nonGoBytes = 0, spec }: PlanInput): number | undefined {
  if (memoryLimitBytes === null) return undefined;
  return goMemLimitUnder(memoryLimitBytes, nonGoBytes, spec.tuning.memoryLimit.goMemLimit);
}

/** In plain bytes: both Kubernetes and Go read them so (Go knows `MiB`, not `Mi`). */
function proposed(
  { spec, ways, goMemLimitBytes, memoryLimitBytes: underBytes }: PlanInput,
  toBytes: number,
  reason: string,
  clampedBy: readonly string[],
): Proposal | NoProposal {
  const chosen = chooseWay('GOMEMLIMIT', spec.actions.apply, ways, beginGoMemLimit(goMemLimitBytes));
  if (typeof chosen === 'string') return none(chosen);
  return { ...chosen, knob: 'GOMEMLIMIT', to: String(toBytes), reason, clampedBy, underBytes };
}
