/** Against a container that works at its memory limit: one step up, within the policy's bounds. */
import { bytesQuantity, quantityBytes } from '../api/index.ts';
import { raisedLimit } from '../model/index.ts';
import { raiseGoMemLimit } from './go-mem-limit.ts';
import type { PlanInput } from './input.ts';
import { isProposal, type NoProposal, none, type Proposal, type Remedy } from './proposal.ts';
import { beginMemoryLimit, chooseWay, inPlace } from './ways.ts';
import { mebibytes } from './words.ts';

/** Where GOMEMLIMIT stands in the way of what the container gets, it follows: not before the limit is in effect, and in the running process. */
export const raiseLimit: Remedy = (input) => {
  const limit = limitFor(input, undefined);
  if (!isProposal(limit) || limit.way.kind !== 'Resize' || input.spec.actions.budget.actions < 2) return limit;
  const roomy = { ...input, ways: inPlace(input.ways), memoryLimitBytes: quantityBytes(limit.to ?? '') ?? null };
  return isProposal(raiseGoMemLimit(roomy)) ? { ...limit, makesRoomFor: 'GOMEMLIMIT' } : limit;
};

/** @param gogc the one that is to fit; undefined: the one in effect */
export function limitFor(input: PlanInput, gogc: number | undefined): Proposal | NoProposal {
  const { memoryLimitBytes, summary, spec, useBytes = 0 } = input;
  if (memoryLimitBytes === null) return none('The container has no memory limit that could be raised.');
  const use = {
    memoryLimitBytes,
    useBytes,
    heapLiveBytes: summary.heapLiveBytes,
    rootsBytes: input.rootsBytes,
    nonGoBytes: input.nonGoBytes,
    gogc: gogc ?? summary.gogc ?? undefined,
  };
  const step = raisedLimit(use, spec.tuning.memoryLimit);
  if (typeof step === 'string') return none(step);
  const { limitBytes, neededBytes, clampedBy } = step;
  const chosen = chooseWay('MemoryLimit', spec.actions.apply, input.ways, beginMemoryLimit(limitBytes));
  if (typeof chosen === 'string') return none(chosen);
  const needed = neededBytes > memoryLimitBytes ? `, ${mebibytes(neededBytes)} are needed` : '';
  return {
    ...chosen,
    knob: 'MemoryLimit',
    to: bytesQuantity(limitBytes),
    reason: `The memory limit goes from ${mebibytes(memoryLimitBytes)} to ${mebibytes(limitBytes)}${needed}.`,
    clampedBy,
  };
}
