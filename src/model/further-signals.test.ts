/** Every signal that a policy may set a limit for: what it reads, when it breaks, and that nothing breaks without a limit. */
import { describe, expect, it } from 'vitest';
import { type FurtherSignal, SIGNALS } from '../api/index.ts';
import { breaches, evaluate, everBroken } from './evaluate.ts';
import { advance, type Latch } from './hysteresis.ts';
import { quantity } from './quantity.ts';
import { checkOf, readSignal, SIGNAL_CHECKS } from './signals.ts';
import {
  calmKernelMemory,
  EPOCH_MS,
  memoryWaits,
  stalls,
  syntheticSpec,
  syntheticWindow,
  syntheticWindows,
  type WindowOver,
} from './testing.ts';
import { deriveThresholds } from './thresholds.ts';
import type { KernelMemory } from './window.ts';

const MIB = 2 ** 20;
const kernel = (over: Partial<KernelMemory>): WindowOver => ({ kernelMemory: { ...calmKernelMemory, ...over } });
const events = { low: 0, high: 0, max: 0, oom: 0, oomKill: 0 };
const reclaim = {
  majorFaultsPerSecond: 0,
  refaultsAnonPerSecond: null,
  refaultsFilePerSecond: 0,
  pagesScannedPerSecond: 0,
  pagesStolenPerSecond: 0,
};

interface Case {
  readonly signal: FurtherSignal;
  /** As a policy writes it. */
  readonly limit: string | number | boolean;
  readonly at: WindowOver;
  readonly above: WindowOver;
  readonly observed: number;
  readonly shown: string;
}

const CASES: readonly Case[] = [
  ...(['gcPauseP99', 'gcPauseMax'] as const).map((signal) => ({
    signal,
    limit: '5ms',
    at: { gcPause: stalls(5) },
    above: { gcPause: stalls(5.1) },
    observed: 5_100_000,
    shown: '5.1 ms',
  })),
  {
    signal: 'stoppingP99',
    limit: '2ms',
    at: { gcStopping: stalls(2) },
    above: { gcStopping: stalls(3) },
    observed: 3e6,
    shown: '3 ms',
  },
  {
    signal: 'cycleMax',
    limit: '500ms',
    at: { gc: { cycleMaxNs: 5e8 } },
    above: { gc: { cycleMaxNs: 6e8 } },
    observed: 6e8,
    shown: '600 ms',
  },
  {
    signal: 'markMax',
    limit: '400ms',
    at: { gc: { markMaxNs: 0 } },
    above: { gc: { markMaxNs: 1.5e9 } },
    observed: 1.5e9,
    shown: '1500 ms',
  },
  {
    signal: 'gcAssistP99',
    limit: '10ms',
    at: { gcAssist: stalls(10) },
    above: { gcAssist: stalls(12) },
    observed: 12e6,
    shown: '12 ms',
  },
  {
    signal: 'gcStallMax',
    limit: '60ms',
    at: { gcStall: { ...stalls(2), maxNs: 60e6 } },
    above: { gcStall: { ...stalls(2), maxNs: 61e6 } },
    observed: 61e6,
    shown: '61 ms',
  },
  {
    signal: 'assistShare',
    limit: '1%',
    at: { gc: { assistShare: 0.01 } },
    above: { gc: { assistShare: 0.02 } },
    observed: 0.02,
    shown: '2 %',
  },
  {
    signal: 'gcRate',
    limit: 4.5,
    at: { gc: { cycles: 9 }, durationMs: 2000 },
    above: { gc: { cycles: 10 }, durationMs: 2000 },
    observed: 5,
    shown: '5/s',
  },
  {
    signal: 'gcLimiter',
    limit: true,
    at: { gc: { limiterOn: false } },
    above: { gc: { limiterOn: true } },
    observed: 1,
    shown: 'on',
  },
  {
    signal: 'heapLive',
    limit: '64Mi',
    at: {},
    above: { gc: { heapLiveBytes: 65 * MIB } },
    observed: 65 * MIB,
    shown: '65 MiB',
  },
  {
    signal: 'heapGoal',
    limit: '128Mi',
    at: {},
    above: { gc: { heapGoalBytes: 2 ** 63 } },
    observed: 2 ** 63,
    shown: '∞',
  },
  {
    signal: 'liveHeapShareOfLimit',
    limit: '60%',
    at: { gc: { heapLiveBytes: 60 * MIB, goMemLimitBytes: 100 * MIB } },
    above: { gc: { heapLiveBytes: 61 * MIB, goMemLimitBytes: 100 * MIB } },
    observed: 0.61,
    shown: '61 %',
  },
  {
    signal: 'allocationRate',
    limit: '64Mi',
    at: {},
    above: { gc: { allocBytesPerSecond: 80 * MIB } },
    observed: 80 * MIB,
    shown: '80 MiB/s',
  },
  {
    signal: 'mmapSlowRate',
    limit: 2,
    at: kernel({ mmap: memoryWaits(1, { slow: 2 }) }),
    above: kernel({ mmap: memoryWaits(1, { slow: 3 }) }),
    observed: 3,
    shown: '3/s',
  },
  {
    signal: 'mmapVerySlowRate',
    limit: 0,
    at: kernel({ mmap: memoryWaits(9, { slow: 9 }) }),
    above: kernel({ mmap: memoryWaits(11) }),
    observed: 1,
    shown: '1/s',
  },
  {
    signal: 'allocationFailures',
    limit: 0,
    at: kernel({}),
    above: kernel({ allocationFailures: { count: 1, whileMarking: 0 } }),
    observed: 5,
    shown: '5',
  },
  {
    signal: 'reclaimStall',
    limit: '10ms',
    at: kernel({ reclaimDirect: memoryWaits(10) }),
    above: kernel({ reclaimDirect: memoryWaits(3), reclaimMemcg: memoryWaits(11) }),
    observed: 11e6,
    shown: '11 ms',
  },
  {
    signal: 'oomKills',
    limit: 2,
    at: {},
    above: { cgroup: { oomKills: 1 } },
    observed: 5,
    shown: '5',
  },
  {
    signal: 'memoryShareOfLimit',
    limit: '90%',
    at: { cgroup: { memoryCurrentBytes: 511 * MIB, workingSetBytes: 200 * MIB } },
    above: { cgroup: { memoryHighBytes: 200 * MIB, workingSetBytes: 190 * MIB } },
    observed: 0.95,
    shown: '95 %',
  },
  {
    signal: 'memoryHighRate',
    limit: 1,
    at: { cgroup: { events: { ...events, high: 1 } } },
    above: { cgroup: { events: { ...events, high: 2 } } },
    observed: 2,
    shown: '2/s',
  },
  {
    signal: 'memoryMaxRate',
    limit: 0,
    at: { cgroup: { events } },
    above: { cgroup: { events: { ...events, max: 7 } } },
    observed: 7,
    shown: '7/s',
  },
  {
    signal: 'majorFaultRate',
    limit: 10,
    at: { cgroup: { reclaim } },
    above: { cgroup: { reclaim: { ...reclaim, majorFaultsPerSecond: 11 } } },
    observed: 11,
    shown: '11/s',
  },
  {
    signal: 'refaultRate',
    limit: 100,
    at: { cgroup: { reclaim: { ...reclaim, refaultsFilePerSecond: 100 } } },
    above: { cgroup: { reclaim: { ...reclaim, refaultsFilePerSecond: 90, refaultsAnonPerSecond: 20 } } },
    observed: 110,
    shown: '110/s',
  },
  {
    signal: 'throttledShare',
    limit: '25%',
    at: { cgroup: { throttledShare: 0.25 } },
    above: { cgroup: { throttledShare: 0.5 } },
    observed: 0.5,
    shown: '50 %',
  },
];

const thresholdsOf = ({ signal, limit }: Case) => deriveThresholds(syntheticSpec({ thresholds: { [signal]: limit } }));
const at = (seq: number) => new Date(EPOCH_MS + seq * 1000);

describe('the table of signals', () => {
  it('has one row for every signal, and a case below for every further one', () => {
    expect(SIGNAL_CHECKS.map(({ signal }) => signal).sort()).toEqual([...SIGNALS].sort());
    const further = SIGNALS.filter(
      (signal) => checkOf(signal).threshold(deriveThresholds(syntheticSpec())) === undefined,
    );
    expect(CASES.map(({ signal }) => signal).sort()).toEqual([...further].sort());
  });
});

describe.each(CASES)('$signal over $limit', (testCase) => {
  const { signal, at: withinLimit, above, observed, shown } = testCase;
  const thresholds = thresholdsOf(testCase);
  const over = syntheticWindows(5, () => above);

  it('is a breach, with its value, its limit and its unit', () => {
    const [breach] = breaches(over, thresholds).filter((candidate) => candidate.signal === signal);
    expect(breach).toMatchObject({ observed, threshold: thresholds.further[signal], breachingWindows: 5 });
    expect(quantity(observed, checkOf(signal).unit)).toBe(shown);
    expect(everBroken(over, thresholds)).toContain(signal);
  });

  it('is none at its limit', () => {
    const windows = syntheticWindows(5, () => withinLimit);
    expect(evaluate(windows, thresholds, at(4))).toEqual({ type: 'ok' });
    expect(readSignal(checkOf(signal), syntheticWindow(0, withinLimit), thresholds)).toBe('within');
  });

  it('is none where the policy sets no limit', () => {
    expect([...everBroken(over, deriveThresholds(syntheticSpec()))]).not.toContain(signal);
  });

  it('fires once, and again only after health was seen', () => {
    const fired: number[] = [];
    let latch: Latch = {};
    const seen = syntheticWindows(30, (seq) => (seq < 10 || seq >= 20 ? above : withinLimit));
    seen.forEach((window, index) => {
      const step = advance(latch, seen.slice(0, index + 1), thresholds, at(window.seq));
      if (latch[signal] === undefined && step.latch[signal] !== undefined) fired.push(window.seq);
      latch = step.latch;
    });
    expect(fired).toHaveLength(2);
    expect(fired[0]).toBeLessThan(5);
    expect(fired[1]).toBeGreaterThanOrEqual(20);
  });

  it('proves no health in a window in which nobody could see it', () => {
    const check = checkOf(signal);
    expect(readSignal(check, syntheticWindow(0, { ...withinLimit, missing: [check.field].flat() }), thresholds)).toBe(
      'unknown',
    );
    const lossy = readSignal(check, syntheticWindow(0, { ...withinLimit, lostEvents: 1 }), thresholds);
    expect(lossy).toBe(check.hurtBy === 'nothing' ? 'within' : 'unknown');
  });
});

it('hits of memory.max are those of the container and of its pod, where a single container meets its limit', () => {
  const { observe } = checkOf('memoryMaxRate');
  const window = (podMaxEvents: number | null) =>
    observe(syntheticWindow(0, { cgroup: { events: { ...events, max: 2 }, podMaxEvents } }));
  expect([window(5), window(0), window(null)]).toEqual([7, 2, 2]);
});

describe('what a window does not know', () => {
  const without: WindowOver = { gc: null, cgroup: null };
  it.each(CASES.filter(({ signal }) => !/^gc(Pause|Assist|Stall)/.test(signal)))('is not $signal 0', (testCase) => {
    const window = syntheticWindow(0, without);
    expect(readSignal(checkOf(testCase.signal), window, thresholdsOf(testCase))).toBe('unknown');
  });

  it.each(['gcPause', 'gcAssist'] as const)('is no %s of 0', (field) => {
    const window = syntheticWindow(0, { [field]: stalls(0, 0), missing: [field] });
    expect(checkOf(field === 'gcPause' ? 'gcPauseMax' : 'gcAssistP99').observe(window)).toBeUndefined();
  });

  it('is no share of a limit that is not set', () => {
    const window = syntheticWindow(0, { cgroup: { memoryLimitBytes: null } });
    expect(checkOf('memoryShareOfLimit').observe(window)).toBeUndefined();
    expect(checkOf('liveHeapShareOfLimit').observe(window)).toBeUndefined();
  });

  it('is judged by assists only where assists count', () => {
    const gcAssistSampling = { observedShare: 0, observed: 0, p99LowNs: 0, p99HighNs: null, unfinished: 0 };
    const thresholds = deriveThresholds(syntheticSpec({ thresholds: { gcPauseMax: '5ms', gcAssistP99: '5ms' } }));
    const window = syntheticWindow(0, { gcAssistSampling });
    expect(readSignal(checkOf('gcAssistP99'), window, thresholds)).toBe('unknown');
    expect(readSignal(checkOf('gcPauseMax'), window, thresholds)).toBe('within');
  });
});
