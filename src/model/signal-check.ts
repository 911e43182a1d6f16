/** What a row of the signal table says. */
import type { SignalName, SignalUnit } from '../api/index.ts';
import type { Interval } from './sampled-stalls.ts';
import type { Thresholds } from './thresholds.ts';
import type { AssistSampling, SignalWindow, WindowField } from './window.ts';

export interface SignalCheck {
  readonly signal: SignalName;
  /** For people. */
  readonly name: string;
  readonly unit: SignalUnit;
  /** Undefined = this window says nothing about the signal. */
  readonly observe: (window: SignalWindow) => number | undefined;
  /** Undefined = the policy sets no limit: the signal is not judged. */
  readonly threshold: (thresholds: Thresholds) => number | undefined;
  /**
   * Lost probe events can hide a high value. A high value that was seen is real all the same, so such a window may count as breaching, never
   * as healthy.
   */
  readonly hurtBy: 'nothing' | 'lostEvents';
  /** Where a part of the assists was seen: between what the true value is. Absent of what does not hang on them. */
  readonly sampled?: (sampling: AssistSampling, value: number) => Interval;
  /** Part of the window that it is read from, or parts. */
  readonly field: WindowField | readonly WindowField[];
  /**
   * True of events that are too rare for a rule of k windows of n, and each too grave to wait for the next: in breach when those of the n
   * windows together are more than the limit.
   */
  readonly summed?: true;
  /** How many windows of the latest ones what this one tells lasted for, where that may be more than this one. */
  readonly spans?: (window: SignalWindow) => number;
  /** The whole of a stretch of windows as one number; by default the mean over time. */
  readonly overall?: (windows: readonly SignalWindow[]) => number;
}
