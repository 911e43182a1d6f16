/** What a remedy answers: a change and the way to it, or why there is none. */
import type { Changed, Knob, Plan, Setting } from '../api/index.ts';
import type { PlanInput } from './input.ts';
import type { TakenWay } from './ways.ts';

export interface Proposal {
  readonly way: TakenWay;
  readonly knob: Changed;
  readonly from: Setting;
  /** Null takes it away. */
  readonly to: Setting;
  /** One sentence. */
  readonly reason: string;
  readonly clampedBy: readonly string[];
  /** The memory limit that `to` was worked out for; null or absent: there was none. */
  readonly underBytes?: number | null | undefined;
  /** It follows by Live once this is in effect. */
  readonly makesRoomFor?: Knob | undefined;
}

export type NoProposal = Plan & { readonly kind: 'None' };

/** One remedy, one small function; pure. Guardrails come after, whichever it is. */
export type Remedy = (input: PlanInput) => Proposal | NoProposal;

export function none(reason: string, more: Omit<Plan, 'kind' | 'reason'> = {}): NoProposal {
  return { kind: 'None', ...more, reason };
}

export function isProposal(answer: Proposal | NoProposal): answer is Proposal {
  return 'way' in answer;
}

/** The last change of this incident was made for the sake of that knob. */
export function hasRoomFor(knob: Knob, { soFar }: PlanInput): boolean {
  return soFar?.at(-1)?.makesRoomFor === knob;
}
