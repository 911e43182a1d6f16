/** A leak fills every limit: one step, once, and only where the kernel would soon kill. People have to mend it. */
import { isProposal, none, type Remedy } from './proposal.ts';
import { raiseLimit } from './raise-limit.ts';
import { mebibytes } from './words.ts';

export const buyTime: Remedy = (input) => {
  const { diagnosis, useBytes = 0 } = input;
  const limit = raiseLimit(input);
  if (!isProposal(limit))
    return none(`${diagnosis.cause}: ${diagnosis.summary} No time can be bought: ${limit.reason}`);
  return {
    ...limit,
    reason: `${limit.reason} It buys time for people: ${mebibytes(useBytes)} are in use, and a leak is not tuned away.`,
  };
};

/** What is done about it leaves the cause where it is: nothing to verify, the incident is for people. */
export function onlyBuysTime(cause: string): boolean {
  return cause === 'Leak';
}
