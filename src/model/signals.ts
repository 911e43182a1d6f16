/** What each guarded signal reads from one window. One entry per signal: detection, verification and status use the same. */
import type { SignalName } from '../api/index.ts';
import type { Thresholds } from './thresholds.ts';
import { isMissing, type SignalWindow } from './window.ts';

export interface SignalCheck {
  readonly signal: SignalName;
  readonly unit: 'ns' | 'ratio';
  /** Undefined = this window says nothing about the signal. */
  readonly observe: (window: SignalWindow) => number | undefined;
  readonly threshold: (thresholds: Thresholds) => number;
  /**
   * True when lost probe events can hide a high value. A high value that was seen is real all the same, so such a window may
   * count as breaching, never as healthy.
   */
  readonly hurtByLostEvents: boolean;
  /** Part of the window that it is read from. */
  readonly field: 'cgroup' | 'gc' | 'gcStall';
}

/** Most urgent first: when several are in breach at once, the first is reported. */
export const SIGNAL_CHECKS: readonly SignalCheck[] = [
  {
    signal: 'memoryPressureFull',
    unit: 'ratio',
    observe: (window) => window.cgroup?.memoryPressure?.full,
    threshold: (thresholds) => thresholds.memoryPressureFull,
    hurtByLostEvents: false,
    field: 'cgroup',
  },
  {
    signal: 'gcStallP99',
    unit: 'ns',
    // A window without stalls is a healthy one: nobody waited, unless nobody looked. Below 100 stalls the P99 is the maximum; hysteresis.ts says why that is right.
    observe: (window) =>
      isMissing(window, 'gcStall') && window.gcStall.count === 0 ? undefined : window.gcStall.p99Ns,
    threshold: (thresholds) => thresholds.gcStallP99Ns,
    hurtByLostEvents: true,
    field: 'gcStall',
  },
  {
    signal: 'gcCpuShare',
    unit: 'ratio',
    observe: (window) => window.gc?.cpuShare,
    threshold: (thresholds) => thresholds.gcCpuShare,
    hurtByLostEvents: true,
    field: 'gc',
  },
  {
    signal: 'memoryPressureSome',
    unit: 'ratio',
    observe: (window) => window.cgroup?.memoryPressure?.some,
    threshold: (thresholds) => thresholds.memoryPressureSome,
    hurtByLostEvents: false,
    field: 'cgroup',
  },
];

export type Reading = 'over' | 'within' | 'unknown';

/** A limit is broken above it, not at it. */
export function readSignal(check: SignalCheck, window: SignalWindow, thresholds: Thresholds): Reading {
  const value = check.observe(window);
  if (value === undefined) return 'unknown';
  if (value > check.threshold(thresholds)) return 'over';
  if (isMissing(window, check.field)) return 'unknown';
  return check.hurtByLostEvents && isIncomplete(window) ? 'unknown' : 'within';
}

/** Something that is not in the window may have happened in it: events were lost, or no assist was looked at. */
function isIncomplete({ lostEvents, gcAssistSampling }: SignalWindow): boolean {
  return lostEvents > 0 || gcAssistSampling?.observedShare === 0;
}

export function checkOf(signal: SignalName): SignalCheck {
  const check = SIGNAL_CHECKS.find((candidate) => candidate.signal === signal);
  if (!check) throw new RangeError(`no check for signal ${signal}`);
  return check;
}
