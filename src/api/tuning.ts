/** What continuous tuning says of one container of a workload, in the policy's status: written ahead of each change, as incidents do. */
import { z } from 'zod';
import { ActionRecord, Owner, Plan } from './incident.ts';

export const TuningState = z.object({
  owner: Owner,
  container: z.string(),
  activeRobots: z.number().optional().describe('Of the busiest pod, as the plan saw it; absent: not known.'),
  plan: Plan.describe('What the formula asks for, or why nothing is to be changed.'),
  at: z.iso.datetime().describe('When the plan last said something else.'),
  actions: z.array(ActionRecord).optional().describe('The latest ones, oldest first.'),
});
export type TuningState = z.infer<typeof TuningState>;
