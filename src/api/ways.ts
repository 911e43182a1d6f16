/** How a workload is changed, and what of it. */
import { z } from 'zod';

/** In the running process, on the running pod, or by new pods. */
export const Way = z.enum(['Live', 'Resize', 'Rollout']);
export type Way = z.infer<typeof Way>;

/** GOGC is a number or `off`, both memory limits are quantities such as `128Mi`. */
export const Knob = z.enum(['GOGC', 'GOMEMLIMIT', 'MemoryLimit']);
export type Knob = z.infer<typeof Knob>;

/** `null` = unset: the environment variable or the limit is absent. */
export const Setting = z.string().nullable();
export type Setting = z.infer<typeof Setting>;
