/** Named remedies: what a policy may choose among, and put in order. What each does is in `src/remedy/runbooks.ts`. */
import { z } from 'zod';

/** In the order in which they are tried where the policy names none. */
export const RunbookName = z.enum([
  'RaiseGogc',
  'RaiseGoMemLimit',
  'RaiseMemoryLimit',
  'HoldHeapBack',
  'LowerGogc',
  'BuyTime',
  'StartAnew',
]);
export type RunbookName = z.infer<typeof RunbookName>;

export const PassedOver = z.object({ runbook: RunbookName, reason: z.string() });
export type PassedOver = z.infer<typeof PassedOver>;
