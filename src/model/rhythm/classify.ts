/**
 * Which rhythm a program allocates in.
 *
 * Two questions decide. How much of the allocation is locked to a period? And in objects of which size does it come? A timer allocates a
 * little on the beat, messages a little at any time, a state machine that steps copies its state: kilobytes at once, on a bus's beat or not.
 */
import { dispersionBytes } from './dispersion.ts';
import { type Increments, incrementsOf } from './increments.ts';
import { objectSizes } from './object-size.ts';
import { findPeriod, type Period } from './period.ts';
import type { AllocationSeries } from './series.ts';

export type RhythmKind = 'message' | 'stateMachine' | 'timer' | 'mixed' | 'unknown';

export interface RhythmEvidence {
  readonly spanSeconds: number;
  readonly samples: number;
  /** Median time between two samples. */
  readonly stepMs: number;
  /** Share of the time in gaps in which the sampler was kept waiting: what happens there is not seen. */
  readonly blindShare: number;
  readonly allocBytesPerSecond: number;
  /** How many equal increments would be as uneven as those seen: (Σ bytes)² ÷ Σ bytes². */
  readonly effectiveIncrements: number;
  /** The strongest period there is, believed or not; null when the series is too short for any. */
  readonly strongestPeriodMs: number | null;
  /** Vector strength at that period, 0 to 1; what chance may reach here; and what it must exceed to be believed. */
  readonly periodStrength: number | null;
  readonly periodStrengthByChance: number | null;
  readonly periodStrengthNeeded: number | null;
  /** Share of the bytes that are allocated on the beat; 0 without a period that is believed. */
  readonly lockedShare: number;
  /** Share of the bytes in objects of 4 KiB and more; null where object sizes are not known. */
  readonly coarseShare: number | null;
  /** Size of the object that a mean byte is allocated in; null as before. */
  readonly meanObjectBytes: number | null;
  /** Variance ÷ mean of the bytes per bin of 10, 100 ms: size of an event for independent arrivals, less when they are steady. */
  readonly dispersion10msBytes: number | null;
  readonly dispersion100msBytes: number | null;
}

export interface Rhythm {
  readonly kind: RhythmKind;
  /**
   * At which allocation recurs, when a period was found. A timing wheel turns in slots: many timers of 100 ms on a wheel of ten slots
   * recur each 10 ms.
   */
  readonly periodMs?: number;
  /** 0 to 1; 0 for `unknown`. */
  readonly confidence: number;
  /** One sentence: why this kind, or why none. */
  readonly reason: string;
  /** Undefined only when the series cannot be read at all. */
  readonly evidence?: RhythmEvidence;
}

const spanBytes = 8192;
const leastSeconds = 1;
/** Allocation is seen in spans; of fewer than these there is no rhythm to be seen. */
const leastBytes = 64 * spanBytes;
const leastEffectiveIncrements = 8;
/** Recordings on a busy machine: right up to 0.25, wrong from 0.5 on. */
const mostBlindShare = 0.35;

const timerFrom = 0.7;
const messageUpTo = 0.3;
const coarseFrom = 0.7;
const fineUpTo = 0.25;

/** Without object sizes a state machine on a beat looks like a timer, one without like messages. */
const mostWithoutSizes = 0.5;
/** Distance from a threshold at which a share leaves no doubt. */
const clearMargin = 0.2;
const enoughIncrements = 50;
const clearStrength = 0.3;
const enoughBytesPerSecond = 1_000_000;

/** Classifies a few seconds of allocation (see `recordAllocations`). Pure and deterministic; 2 to 25 ms of processor time. */
export function classifyRhythm(series: AllocationSeries): Rhythm {
  const increments = incrementsOf(series.samples);
  if (increments === undefined) return unknown('the samples are too few or out of order');
  const evidence = evidenceOf(series, increments);
  const why = whyUnknown(increments, evidence);
  if (why !== undefined) return unknown(why, evidence);
  const { kind, reason, doubt } = judge(evidence);
  const isPeriodic = evidence.lockedShare > 0 && evidence.strongestPeriodMs !== null;
  return {
    kind,
    ...(isPeriodic && evidence.strongestPeriodMs !== null && kind !== 'message'
      ? { periodMs: evidence.strongestPeriodMs }
      : {}),
    confidence: confidenceOf(evidence, doubt),
    reason,
    evidence,
  };
}

function unknown(reason: string, evidence?: RhythmEvidence): Rhythm {
  return { kind: 'unknown', confidence: 0, reason, ...(evidence === undefined ? {} : { evidence }) };
}

function whyUnknown({ totalBytes, spanSeconds }: Increments, evidence: RhythmEvidence): string | undefined {
  if (spanSeconds < leastSeconds)
    return `seen for ${spanSeconds.toFixed(2)} s only, at least ${leastSeconds} s are needed`;
  if (totalBytes < leastBytes)
    return `only ${totalBytes} bytes were allocated, in steps of ${spanBytes}: too few to see a rhythm`;
  if (evidence.effectiveIncrements < leastEffectiveIncrements)
    return 'nearly all was allocated at a few moments: too few to see a rhythm';
  if (evidence.blindShare > mostBlindShare && !isCoarse(evidence))
    return `the sampler was kept waiting for ${percent(evidence.blindShare)} of the time: try again when the node is less busy`;
  return whyAmbiguous(evidence);
}

/** A state machine shows by what it allocates, whenever it does. */
const isCoarse = ({ coarseShare }: RhythmEvidence): boolean => (coarseShare ?? 0) >= coarseFrom;

/** A beat beyond chance that the allocator's spans alone could make. */
function whyAmbiguous(evidence: RhythmEvidence): string | undefined {
  const { strongestPeriodMs, periodStrength, periodStrengthByChance, lockedShare } = evidence;
  if (strongestPeriodMs === null || periodStrength === null || periodStrengthByChance === null) return undefined;
  if (lockedShare > 0 || periodStrength <= periodStrengthByChance || isCoarse(evidence)) return undefined;
  return (
    `a beat of ${strongestPeriodMs.toFixed(1)} ms has less than two spans of ${spanBytes} bytes: ` +
    'a steady stream that fills a span as often looks the same; a busier time would tell'
  );
}

interface Judgement {
  readonly kind: RhythmKind;
  readonly reason: string;
  /** Distance of the nearest share from the threshold that would change the kind. */
  readonly doubt: number;
}

function judge({ lockedShare: locked, coarseShare: coarse }: RhythmEvidence): Judgement {
  const size = coarse ?? 0;
  const words = `${percent(locked)} of the bytes on a beat, ${coarse === null ? 'object sizes unknown' : `${percent(size)} in objects of 4 KiB and more`}`;
  if (size >= coarseFrom) return { kind: 'stateMachine', reason: words, doubt: size - coarseFrom };
  if (size > fineUpTo) return { kind: 'mixed', reason: words, doubt: Math.min(coarseFrom - size, size - fineUpTo) };
  const fromFine = coarse === null ? Number.POSITIVE_INFINITY : fineUpTo - size;
  if (locked >= timerFrom) return { kind: 'timer', reason: words, doubt: Math.min(locked - timerFrom, fromFine) };
  if (locked <= messageUpTo) return { kind: 'message', reason: words, doubt: Math.min(messageUpTo - locked, fromFine) };
  return { kind: 'mixed', reason: words, doubt: Math.min(timerFrom - locked, locked - messageUpTo) };
}

function confidenceOf(evidence: RhythmEvidence, doubt: number): number {
  const clear = 0.5 + 0.5 * Math.min(1, doubt / clearMargin);
  const seen = Math.min(1, Math.max(evidence.effectiveIncrements / enoughIncrements, beyondDoubt(evidence)));
  const fine = Math.min(1, Math.sqrt(evidence.allocBytesPerSecond / enoughBytesPerSecond));
  const confidence = clear * seen * fine;
  return evidence.coarseShare === null ? Math.min(mostWithoutSizes, confidence) : confidence;
}

/** A beat that is far stronger than needed counts for itself, however few its pulses are: 0 to 1. */
function beyondDoubt({ lockedShare, periodStrength, periodStrengthNeeded }: RhythmEvidence): number {
  if (lockedShare === 0 || periodStrength === null || periodStrengthNeeded === null) return 0;
  return Math.min(1, (periodStrength - periodStrengthNeeded) / clearStrength);
}

function evidenceOf(series: AllocationSeries, increments: Increments): RhythmEvidence {
  const { spanSeconds, stepSeconds, totalBytes } = increments;
  const squares = increments.increments.reduce((sum, { bytes }) => sum + bytes * bytes, 0);
  const effectiveIncrements = squares === 0 ? 0 : (totalBytes * totalBytes) / squares;
  const sizes = series.allocated === null ? undefined : objectSizes(series.allocated);
  const period = findPeriod(increments);
  const byChance = period === undefined ? null : strengthByChance(increments, period, effectiveIncrements);
  const needed =
    byChance === null || period === undefined ? null : Math.max(byChance, strengthBySpans(increments, period));
  const believed = period !== undefined && needed !== null && period.strength > needed;
  return {
    spanSeconds,
    samples: series.samples.length,
    stepMs: stepSeconds * 1e3,
    blindShare: increments.blindShare,
    allocBytesPerSecond: totalBytes / spanSeconds,
    effectiveIncrements,
    strongestPeriodMs: period === undefined ? null : period.seconds * 1e3,
    periodStrength: period?.strength ?? null,
    periodStrengthByChance: byChance,
    periodStrengthNeeded: needed,
    lockedShare: believed ? Math.min(1, period.pulsedShare) : 0,
    coarseShare: sizes?.coarseShare ?? null,
    meanObjectBytes: sizes?.meanBytes ?? null,
    dispersion10msBytes: dispersionBytes(increments, 0.01) ?? null,
    dispersion100msBytes: dispersionBytes(increments, 0.1) ?? null,
  };
}

const leastStrength = 0.2;
/** Of all frequencies looked at together, noise passes with this probability. */
const falseAlarm = 0.01;

/**
 * What chance may reach: Rayleigh's test, P(strength > r) = exp(−n·r²) for n independent increments, over as many frequencies as there are
 * independent ones (up to half the sampling rate); where increments are not independent, the same over the background that is seen instead
 * of the one that n promises (its median is √(ln 2 ÷ n)). Weaker beats are none that matter.
 */
function strengthByChance({ spanSeconds, stepSeconds }: Increments, period: Period, effective: number): number {
  const frequencies = spanSeconds / (2 * stepSeconds);
  const overNoise = Math.sqrt(Math.log(frequencies / falseAlarm));
  const noise = Math.max(1 / Math.sqrt(Math.max(1, effective)), period.background / Math.sqrt(Math.LN2));
  return Math.max(leastStrength, overNoise * noise);
}

/**
 * What the allocator may reach by itself: a steady stream fills the span of a size class at regular times, which looks like a timer of one
 * span per period; two size classes may go in step.
 */
function strengthBySpans({ spanSeconds, totalBytes }: Increments, period: Period): number {
  return (2 * spanBytes) / ((totalBytes / spanSeconds) * period.seconds);
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
