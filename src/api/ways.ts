/** How a workload is changed, and what of it. */
import { z } from 'zod';

/** In the running process, on the running pod, by new pods; or nothing is set, and a pod is made anew. */
export const Way = z.enum(['Live', 'Resize', 'Rollout', 'Restart']);
export type Way = z.infer<typeof Way>;

/** GOGC is a number or `off`, both memory limits are quantities such as `128Mi`. */
export const Knob = z.enum(['GOGC', 'GOMEMLIMIT', 'MemoryLimit']);
export type Knob = z.infer<typeof Knob>;

/** What an action changes: a setting, or the pod itself, which begins anew. */
export const Changed = z.enum([...Knob.options, 'Pod']);
export type Changed = z.infer<typeof Changed>;

/** @throws RangeError of a pod: it is no setting */
export function knobOf(changed: Changed): Knob {
  if (changed === 'Pod')
    throw new RangeError('a pod is made anew, not set: no template, annotation or process holds it');
  return changed;
}

/** `null` = unset: the environment variable or the limit is absent. */
export const Setting = z.string().nullable();
export type Setting = z.infer<typeof Setting>;
