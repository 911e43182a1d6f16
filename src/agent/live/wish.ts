/** What shall be set in a container's processes, and whether a policy allows it. Pure; the annotation is foreign input. */
import {
  ANNOTATION_DESIRED,
  type DesiredSettings,
  isUnreadable,
  LESS_MEMORY,
  neededBytes,
  parseDesired,
  quantityBytes,
  type RobotGCPolicy,
  type Setting,
} from '../../api/index.ts';
import type { GcSettings } from '../../host/index.ts';
import { GOGC_OFF, isOnTheWayIn, isOutside } from '../../model/index.ts';

export type Wish =
  | {
      readonly type: 'set';
      readonly policy: RobotGCPolicy;
      readonly change: Partial<GcSettings>;
      /** What was in effect where the change was decided. */
      readonly from: Partial<GcSettings>;
      /** Of GOGC; beyond them it may only be set where that is nearer to them than what the process had of itself. */
      readonly bounds: { readonly min: number; readonly max: number };
      /** Whether a process that does not have it may be written to. */
      readonly mayWrite: boolean;
    }
  /** Nothing is desired (any more) by a policy that selects the container: whatever we set goes back to what it was. */
  | { readonly type: 'restore' }
  /** The policy was deleted, and said to keep what is set: it is nobody's any more. */
  | { readonly type: 'keep' }
  /** Desired, and not allowed: what we set goes back, too. */
  | { readonly type: 'refuse'; readonly reason: string; readonly message: string };

export interface WishInput {
  readonly annotations: Readonly<Record<string, string>>;
  readonly container: string;
  /** Those that select the container now. */
  readonly policies: readonly RobotGCPolicy[];
  /** Memory limit of the container; null: none. */
  readonly limitBytes: number | null;
  /** What the policy said that we last wrote for; undefined when we wrote nothing. */
  readonly onDelete: 'Revert' | 'Keep' | undefined;
}

export function wishOf(input: WishInput): Wish {
  const { annotations, container, policies, onDelete } = input;
  const desired = parseDesired(annotations[ANNOTATION_DESIRED]);
  if (isUnreadable(desired)) return refuse('Unreadable', desired.problem);
  const wanted = Object.hasOwn(desired, container) ? desired[container] : undefined;
  const policy = policies.find(({ metadata }) => metadata.uid === wanted?.policy);
  if (!policy && onDelete === 'Keep' && policies.length === 0) return { type: 'keep' };
  // A wish in the name of a policy that is gone is nobody's wish. Refused, it would stand in the status of the next policy, as its answer.
  if (!wanted || !policy) return { type: 'restore' };
  if (!policy.spec.actions.apply.includes('Live'))
    return refuse('NotAllowed', 'the policy does not name Live in actions.apply');
  const change = settingsOf(wanted, 'to');
  if (typeof change === 'string') return refuse('Unreadable', change);
  const tight = lessMemory(wanted, input.limitBytes);
  if (tight) return refuse(LESS_MEMORY, tight);
  const said = settingsOf(wanted, 'from');
  const from = typeof said === 'string' ? {} : said;
  const outside = outOfBounds(change, from, policy, input.limitBytes);
  if (outside) return refuse('OutOfBounds', outside);
  const mayWrite = policy.spec.actions.mode === 'Auto';
  return { type: 'set', policy, change, from, bounds: policy.spec.tuning.gogc, mayWrite };
}

function refuse(reason: string, message: string): Wish {
  return { type: 'refuse', reason, message };
}

/** Or what cannot be understood, in a sentence. */
function settingsOf({ GOGC, GOMEMLIMIT }: DesiredSettings, end: 'from' | 'to'): Partial<GcSettings> | string {
  const gcPercent = GOGC && percentOf(GOGC[end]);
  if (gcPercent === null) return `GOGC=${GOGC?.[end]} is neither a number nor off`;
  const limit = GOMEMLIMIT && limitOf(GOMEMLIMIT[end]);
  if (typeof limit === 'string') return limit;
  return {
    ...(gcPercent === undefined ? {} : { gcPercent }),
    ...(limit === undefined ? {} : { memoryLimitBytes: limit }),
  };
}

function percentOf(setting: Setting): number | null {
  if (setting === 'off') return GOGC_OFF;
  return setting !== null && /^[0-9]{1,6}$/.test(setting) ? Number(setting) : null;
}

function limitOf(setting: Setting): number | null | string {
  if (setting === null) return null;
  const bytes = quantityBytes(setting);
  return bytes && Number.isSafeInteger(bytes) ? bytes : `GOMEMLIMIT=${setting} is no quantity of bytes`;
}

function outOfBounds(
  { gcPercent, memoryLimitBytes }: Partial<GcSettings>,
  from: Partial<GcSettings>,
  { spec: { tuning } }: RobotGCPolicy,
  limitBytes: number | null,
): string | undefined {
  if (gcPercent !== undefined && isTooFarOut(gcPercent, from.gcPercent, tuning.gogc))
    return sayOutside(gcPercent, tuning.gogc);
  if (memoryLimitBytes && limitBytes !== null && memoryLimitBytes > limitBytes)
    return `GOMEMLIMIT of ${memoryLimitBytes} bytes is above the container's memory limit of ${limitBytes}`;
  return undefined;
}

/** @param from undefined where it is not known */
export function isTooFarOut(gogc: number, from: number | undefined, bounds: { min: number; max: number }): boolean {
  return isOutside(gogc, bounds) && (from === undefined || !isOnTheWayIn(gogc, from, bounds));
}

export function sayOutside(gogc: number, { min, max }: { min: number; max: number }): string {
  return `GOGC ${gogc} is outside of the policy's ${min} to ${max}`;
}

/** After a resize of running pods, those that come later have the limit of their template again. */
function lessMemory(wanted: DesiredSettings, limitBytes: number | null): string | undefined {
  const underBytes = neededBytes(wanted);
  if (limitBytes === null || limitBytes >= underBytes) return undefined;
  return `the setting was worked out for a memory limit of ${underBytes} bytes, the container has ${limitBytes}: it keeps its own`;
}
