import { describe, expect, it } from 'vitest';
import { evaluate } from './evaluate.ts';
import { checkOf, readSignal } from './signals.ts';
import { summarise } from './summary.ts';
import { EPOCH_MS, stalls, syntheticSpec, syntheticWindow } from './testing.ts';
import { deriveThresholds } from './thresholds.ts';

const thresholds = deriveThresholds(syntheticSpec());
const blind = { missing: ['gcPause', 'gcAssist', 'gcStall'] };

describe('a signal that nobody observed', () => {
  it('is unknown, not within its limit', () => {
    const check = checkOf('gcStallP99');
    const quiet = { gcStall: stalls(0, 0) };
    expect(readSignal(check, syntheticWindow(0, quiet), thresholds)).toBe('within');
    expect(readSignal(check, syntheticWindow(0, { ...quiet, ...blind }), thresholds)).toBe('unknown');
  });

  it('breaks its limit by what was seen of it all the same', () => {
    const window = syntheticWindow(0, { ...blind, gcStall: stalls(10_000) });
    expect(readSignal(checkOf('gcStallP99'), window, thresholds)).toBe('over');
    const short = syntheticWindow(0, { ...blind, gcStall: stalls(0.001) });
    expect(readSignal(checkOf('gcStallP99'), short, thresholds)).toBe('unknown');
  });

  it('does not hide the others', () => {
    const window = syntheticWindow(0, { ...blind, gc: { cpuShare: 0.5 } });
    expect(readSignal(checkOf('gcCpuShare'), window, thresholds)).toBe('over');
    expect(readSignal(checkOf('gcCpuShare'), syntheticWindow(0, blind), thresholds)).toBe('within');
    const windows = [0, 1, 2, 3, 4].map((seq) => syntheticWindow(seq, { ...blind, gc: { cpuShare: 0.5 } }));
    expect(evaluate(windows, thresholds, new Date(EPOCH_MS + 4_000))).toMatchObject({ signal: 'gcCpuShare' });
  });

  it('is no part of a summary', () => {
    const seen = syntheticWindow(0, { gcStall: stalls(8), gcPause: stalls(4) });
    const unseen = [1, 2, 3].map((seq) => syntheticWindow(seq, { ...blind, gcStall: stalls(0, 2000) }));
    expect(summarise([seen, ...unseen])).toMatchObject({ windows: 4, gcStallP99Ms: 8, gcPauseP99Ms: 4 });
  });
});

describe('a stall of which a part was seen', () => {
  const sampling = {
    observedShare: 0.1,
    observed: 500,
    p99LowNs: 0,
    p99HighNs: null,
    unfinished: 0,
  };
  const ms = (value: number): number => value * 1e6;

  // The limit is 30 ms.
  it.each([
    { what: 'surely above', p99: 60, low: 40, high: 90, reading: 'over' },
    { what: 'surely above, without an upper bound', p99: 60, low: 40, high: null, reading: 'over' },
    { what: 'surely below', p99: 10, low: 5, high: 20, reading: 'within' },
    { what: 'below at its upper bound', p99: 10, low: 5, high: 30, reading: 'within' },
    { what: 'told above, and may be below', p99: 31, low: 29, high: 35, reading: 'unknown' },
    { what: 'told below, and may be above', p99: 29, low: 25, high: 31, reading: 'unknown' },
    { what: 'told below, without an upper bound', p99: 1, low: 0.5, high: null, reading: 'unknown' },
  ])('is $reading its limit when it is $what', ({ p99, low, high, reading }) => {
    const window = syntheticWindow(0, {
      gcStall: stalls(p99),
      gcAssistSampling: { ...sampling, stallP99LowNs: ms(low), stallP99HighNs: high === null ? null : ms(high) },
    });
    expect(readSignal(checkOf('gcStallP99'), window, thresholds)).toBe(reading);
  });

  it('is judged by its estimate where the window tells no interval, and unknown where nothing was looked at', () => {
    const read = (p99: number, observedShare: number): string =>
      readSignal(
        checkOf('gcStallP99'),
        syntheticWindow(0, { gcStall: stalls(p99), gcAssistSampling: { ...sampling, observedShare } }),
        thresholds,
      );
    expect([read(60, 0.1), read(1, 0.1), read(60, 0), read(1, 0)]).toEqual(['over', 'within', 'over', 'unknown']);
  });

  it('says nothing against the collector’s CPU time, which is the runtime’s own', () => {
    const window = syntheticWindow(0, { gcAssistSampling: { ...sampling, observedShare: 0 }, gc: { cpuShare: 0.001 } });
    expect(readSignal(checkOf('gcCpuShare'), window, thresholds)).toBe('within');
  });

  it('is at least as long as the longest that was seen', () => {
    const limits = deriveThresholds(syntheticSpec({ thresholds: { gcStallMax: '50ms' } }));
    const read = (p99: number): string =>
      readSignal(
        checkOf('gcStallMax'),
        syntheticWindow(0, { gcStall: stalls(p99), gcAssistSampling: sampling }),
        limits,
      );
    expect([read(60), read(10)]).toEqual(['over', 'unknown']);
  });
});
