/**
 * Elastic scaling, the way down: a memory limit that robotgc raised comes down again in steps, once it was calm for long enough. First what runs
 * under it is set for the smaller one, GOMEMLIMIT and then GOGC, live; then the limit follows. Pure.
 */
import { type ActionRecord, bytesQuantity, type DesiredSettings, durationMs, quantityBytes } from '../api/index.ts';
import { goMemLimitUnder, loweredLimit } from '../model/index.ts';
import type { Occasion } from './input.ts';
import { type NoProposal, none, type Proposal } from './proposal.ts';
import { WORTHWHILE_CHANGE } from './raise-gogc.ts';
import type { ResizeWay } from './resize.ts';
import type { TuningFacts } from './tuning-facts.ts';
import { beginGogc, beginGoMemLimit, beginMemoryLimit, chooseWay } from './ways.ts';
import { mebibytes } from './words.ts';

/** What is known of the time since something was wrong. */
export interface Calm {
  /** The later of: the end of the last incident of the workload, the beginning of what is known. */
  readonly sinceMs: number;
  /** Of any pod within `calmMs`; undefined: not known of every pod. */
  readonly peakLiveBytes: number | undefined;
  readonly peakUseBytes: number | undefined;
}

export interface LowerInput extends Occasion {
  readonly facts: TuningFacts;
  readonly tuned: readonly ActionRecord[];
  readonly calm?: Calm | undefined;
  /** What Live shall set by now. */
  readonly wishes?: DesiredSettings | undefined;
  /** Of the owner's template: what the team declared. */
  readonly declaredLimitBytes?: number | null | undefined;
}

/** Undefined: there is nothing to lower, or it is not yet calm. A reason: it is being lowered, and waits for something. */
export function lowerLimit(input: LowerInput, now: Date): Proposal | NoProposal | undefined {
  const target = targetOf(input, now);
  return target && (lowerGoMemLimit(input, target) ?? lowerGogcFor(input, target) ?? resizeTo(input, target));
}

interface Target {
  readonly fromBytes: number;
  readonly limitBytes: number;
  readonly clampedBy: readonly string[];
}

function targetOf(input: LowerInput, now: Date): Target | undefined {
  const { spec, ways, calm, facts, declaredLimitBytes } = input;
  const { memoryLimit } = spec.tuning;
  const way = ways.find((each): each is ResizeWay => each.kind === 'Resize');
  const fromBytes = quantityBytes(way?.limit ?? '');
  if (!spec.actions.apply.includes('Resize') || !calm || calm.peakLiveBytes === undefined) return undefined;
  if (fromBytes === undefined || !declaredLimitBytes || fromBytes <= declaredLimitBytes) return undefined;
  const last = lastOfLimit(input);
  if (!last || quantityBytes(last.after ?? '') !== fromBytes) return undefined;
  const calmSinceMs = Math.max(calm.sinceMs, Date.parse(last.at));
  if (now.getTime() - calmSinceMs < calmMs(input)) return undefined;
  const use = {
    memoryLimitBytes: fromBytes,
    // What GOMEMLIMIT lets the heap grow to is no need.
    useBytes: isShaped(facts) ? 0 : (calm.peakUseBytes ?? 0),
    heapLiveBytes: calm.peakLiveBytes,
    rootsBytes: facts.rootsBytes,
    nonGoBytes: facts.nonGoBytes,
    gogc: facts.gogcs.at(-1),
  };
  const step = loweredLimit(use, memoryLimit, declaredLimitBytes);
  if (!step || step.limitBytes > fromBytes * (1 - WORTHWHILE_CHANGE)) return undefined;
  return {
    fromBytes,
    limitBytes: begunFor(input, step.limitBytes, fromBytes) ?? step.limitBytes,
    clampedBy: step.clampedBy,
  };
}

/** What GOMEMLIMIT was set for already stays the aim: needs are not the same to the byte five minutes later. */
function begunFor({ wishes }: LowerInput, leastBytes: number, fromBytes: number): number | undefined {
  const begun = wishes?.GOMEMLIMIT?.underBytes;
  const isOnTheWay = begun !== undefined && begun >= leastBytes && begun <= fromBytes * (1 - WORTHWHILE_CHANGE);
  return isOnTheWay ? begun : undefined;
}

/** How long it has to be calm; of so long the peaks count. */
export function calmMs({ spec, history, tuned }: Pick<LowerInput, 'spec' | 'history' | 'tuned'>): number {
  return durationMs(spec.tuning.memoryLimit.lowerAfter) * 2 ** reversals({ history, tuned });
}

/** Of any incident or of tuning; what failed was taken back, or never in effect. */
function ofLimit({ history, tuned }: Pick<LowerInput, 'history' | 'tuned'>): ActionRecord[] {
  return [...history, ...tuned]
    .filter(({ knob, result }) => knob === 'MemoryLimit' && result === 'Completed')
    .toSorted((a, b) => a.at.localeCompare(b.at));
}

function lastOfLimit(input: LowerInput): ActionRecord | undefined {
  return ofLimit(input).at(-1);
}

/** At most 64 times the policy's calm. */
const MAX_DOUBLINGS = 6;

/** How often a limit that had been lowered was raised again: each time it has to be calm for twice as long. */
function reversals(input: Pick<LowerInput, 'history' | 'tuned'>): number {
  const isDown = ofLimit(input).map(
    ({ before, after }) => (quantityBytes(after ?? '') ?? 0) < (quantityBytes(before ?? '') ?? 0),
  );
  return Math.min(MAX_DOUBLINGS, isDown.filter((down, at) => down && isDown[at + 1] === false).length);
}

/** GOMEMLIMIT is in effect everywhere. */
function isShaped({ goMemLimits }: TuningFacts): boolean {
  return goMemLimits.length > 0 && goMemLimits.every((bytes) => bytes !== null);
}

function lowerGoMemLimit(input: LowerInput, { limitBytes }: Target): Proposal | NoProposal | undefined {
  const { facts, spec, ways, wishes } = input;
  const fitting = goMemLimitUnder(limitBytes, facts.nonGoBytes, spec.tuning.memoryLimit.goMemLimit);
  const now = facts.goMemLimits[0];
  if (facts.goMemLimits.length > 1) return none('GOMEMLIMIT in effect differs between the pods.');
  const wish = wishes?.GOMEMLIMIT;
  if (!wish && (now === undefined || now === null || now <= fitting)) return undefined;
  if (!wish)
    return none(
      `The memory limit stays: the program's own GOMEMLIMIT of ${mebibytes(now ?? 0)} does not fit under less.`,
    );
  if (now === undefined || now === null) return none('GOMEMLIMIT is not in effect yet.');
  const isForIt = wish.underBytes !== undefined && wish.underBytes <= limitBytes;
  if (isForIt && now <= (1 + WORTHWHILE_CHANGE) * fitting) return undefined;
  const to = Math.min(now, fitting);
  const reason = `GOMEMLIMIT of ${mebibytes(to)} is for a memory limit of ${mebibytes(limitBytes)}, to which it comes down after a calm time.`;
  return live(input, 'GOMEMLIMIT', String(to), { ways, reason, limitBytes, begin: beginGoMemLimit(now) });
}

/** The formula has set it before; what is left is for which limit it stands. */
function lowerGogcFor(input: LowerInput, { limitBytes }: Target): Proposal | NoProposal | undefined {
  const { facts, ways, wishes } = input;
  const [gogc] = facts.gogcs;
  if (gogc === undefined || (wishes?.GOGC?.underBytes ?? 0) <= limitBytes) return undefined;
  const reason = `GOGC ${gogc} fits under a memory limit of ${mebibytes(limitBytes)} too, to which it comes down after a calm time.`;
  return live(input, 'GOGC', String(gogc), { ways, reason, limitBytes, begin: beginGogc({ gogc }) });
}

interface LiveChange {
  readonly ways: LowerInput['ways'];
  readonly reason: string;
  readonly limitBytes: number;
  readonly begin: Parameters<typeof chooseWay>[3];
}

function live(
  { spec }: LowerInput,
  knob: 'GOGC' | 'GOMEMLIMIT',
  to: string,
  { ways, reason, limitBytes, begin }: LiveChange,
): Proposal | NoProposal {
  const chosen = chooseWay(
    knob,
    spec.actions.apply.filter((way) => way === 'Live'),
    ways,
    begin,
  );
  if (typeof chosen === 'string') return none(chosen);
  return { ...chosen, knob, to, reason, clampedBy: [], underBytes: limitBytes };
}

function resizeTo({ spec, ways }: LowerInput, { fromBytes, limitBytes, clampedBy }: Target): Proposal | NoProposal {
  const resize = spec.actions.apply.filter((way) => way === 'Resize');
  const chosen = chooseWay('MemoryLimit', resize, ways, beginMemoryLimit(limitBytes));
  if (typeof chosen === 'string') return none(`The memory limit stays for now: ${chosen}`);
  const reason = `The memory limit comes down from ${mebibytes(fromBytes)} to ${mebibytes(limitBytes)} after a calm time.`;
  return { ...chosen, knob: 'MemoryLimit', to: bytesQuantity(limitBytes), reason, clampedBy };
}
