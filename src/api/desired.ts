/**
 * What Live shall set in the running processes of a container, as it stands in an annotation: on a workload's owner for all of its pods,
 * and on each pod for the agent of its node. Whoever may annotate a pod can write it, so it is foreign input, held against the policy again.
 */
import { z } from 'zod';
import { GROUP } from './names.ts';
import { Setting } from './ways.ts';

export const ANNOTATION_DESIRED = `${GROUP}/desired`;

/** `from`: what was in effect before the first change, to which a rollback goes back. Both as `Setting` says: `null` is none. */
const Change = z.strictObject({
  from: Setting,
  to: Setting,
  underBytes: z.int().positive().optional().describe('The memory limit that `to` was worked out for.'),
});

export const DesiredSettings = z.strictObject({
  policy: z.string().min(1).max(64).describe('Uid of the policy in whose name it is set.'),
  onDelete: z
    .enum(['Revert', 'Keep'])
    .optional()
    .describe('Where the program follows it: what becomes of it once that policy is gone.'),
  GOGC: Change.optional(),
  GOMEMLIMIT: Change.optional(),
});
export type DesiredSettings = z.infer<typeof DesiredSettings>;
export type LiveKnob = 'GOGC' | 'GOMEMLIMIT';

/** The memory limit that a container must have for all of it; 0: any. */
export function neededBytes({ GOGC, GOMEMLIMIT }: DesiredSettings): number {
  return Math.max(GOGC?.underBytes ?? 0, GOMEMLIMIT?.underBytes ?? 0);
}

/** By name of the container. */
export const Desired = z.record(z.string().min(1).max(63), DesiredSettings);
export type Desired = z.infer<typeof Desired>;

export function parseDesired(annotation: string | undefined): Desired | { readonly problem: string } {
  if (annotation === undefined) return {};
  const parsed = Desired.safeParse(jsonOf(annotation));
  if (parsed.success) return parsed.data;
  return {
    problem: `${ANNOTATION_DESIRED} is not what robotgc writes: ${z.prettifyError(parsed.error).slice(0, 200)}`,
  };
}

export function isUnreadable(desired: ReturnType<typeof parseDesired>): desired is { readonly problem: string } {
  return typeof desired.problem === 'string';
}

export interface WishedChange {
  readonly policy: string;
  readonly knob: LiveKnob;
  readonly from: Setting;
  readonly to: Setting;
  readonly underBytes?: number | undefined;
  readonly onDelete?: DesiredSettings['onDelete'];
  /** Also where it leads back to what was there before: set by us, not withdrawn, and further changes may follow. */
  readonly stays?: boolean;
}

/**
 * With one knob changed in the name of a policy; containers without any are left out. What leads back to what was there before is no wish any
 * more where it is the last one: beside another knob it is one, since agents put back what nothing at all is wished of.
 */
export function withChange(
  desired: Desired,
  container: string,
  { policy, knob, from, to, underBytes, onDelete, stays = false }: WishedChange,
): Desired {
  const { [container]: known, ...others } = desired;
  // Null is a value too: none was set.
  const original = known?.[knob] ? known[knob].from : from;
  const { [knob]: _before, policy: _policy, onDelete: _gone, ...kept } = known ?? { policy };
  const wish = { from: original, to, ...(underBytes === undefined ? {} : { underBytes }) };
  const isOver = to === original && !stays && Object.keys(kept).length === 0;
  if (isOver) return others;
  return { ...others, [container]: { policy, ...(onDelete ? { onDelete } : {}), ...kept, [knob]: wish } };
}

/** Null: nothing is desired, and the annotation goes. Keys in order, so that equal wishes are equal texts. */
export function desiredText(desired: Desired): string | null {
  const containers = Object.keys(desired).toSorted();
  return containers.length === 0 ? null : JSON.stringify(Object.fromEntries(containers.map((c) => [c, desired[c]])));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
