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
