import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, everBroken } from './evaluate.ts';
import { advance, type Latch, rearmed } from './hysteresis.ts';
import { EPOCH_MS, stalls, syntheticSpec, syntheticWindow, syntheticWindows, type WindowOver } from './testing.ts';
import { deriveThresholds } from './thresholds.ts';
import type { SignalWindow } from './window.ts';

const thresholds = deriveThresholds(syntheticSpec());
const slow: WindowOver = { gcStall: stalls(50) };
const at = (windows: readonly SignalWindow[], lateMs = 100) =>
  new Date(Date.parse(windows.at(-1)?.endedAt ?? '') + lateMs);
/** `x` = a stall of 50 ms, `.` = calm, `?` = calm with lost events, `_` = window lost. */
const pattern = (text: string) =>
  [...text].flatMap((sign, seq) => {
    if (sign === '_') return [];
    return [syntheticWindow(seq, sign === 'x' ? slow : sign === '?' ? { lostEvents: 3 } : {})];
  });

describe('evaluate', () => {
  it.each([
    ['.....', 'ok'],
    ['..xx.', 'ok'],
    ['xx...', 'ok'],
    ['x.x.x', 'breach'],
    ['xxx', 'breach'],
    ['xx', 'ok'],
    ['xxx...', 'ok'],
    ['xxx..', 'breach'],
    ['xx???', 'ok'],
    ['xx_x_', 'breach'],
    ['xxx___.', 'ok'],
    ['xx___xx', 'ok'],
  ])('%s → %s (3 of 5)', (text, type) => {
    const windows = pattern(text);
    expect(evaluate(windows, thresholds, at(windows)).type).toBe(type);
  });

  it('counts a stop of the world for each window that it lasted through: those before its end show nothing', () => {
    const stopped = (ms: number) =>
      syntheticWindows(5, (seq) => (seq === 4 ? { gcStall: stalls(ms, 1), gcPause: stalls(ms, 1) } : {}));
    expect(evaluate(stopped(1_900), thresholds, at(stopped(1_900))).type).toBe('ok');
    expect(evaluate(stopped(2_100), thresholds, at(stopped(2_100)))).toMatchObject({ breachingWindows: 3 });
    expect(evaluate(stopped(9_000), thresholds, at(stopped(9_000)))).toMatchObject({ breachingWindows: 5 });
  });

  it('reports the worst value, the counts and when it began', () => {
    const windows = [0, 1, 2, 3, 4].map((seq) =>
      syntheticWindow(seq, seq % 2 === 0 ? { gcStall: stalls(40 + seq) } : {}),
    );
    expect(evaluate(windows, thresholds, at(windows))).toEqual({
      type: 'breach',
      signal: 'gcStallP99',
      observed: 44e6,
      threshold: 30e6,
      unit: 'ns',
      breachingWindows: 3,
      ofWindows: 5,
      firstBreachAt: new Date(EPOCH_MS).toISOString(),
    });
  });

  it.each<[string, WindowOver]>([
    ['gcStallP99', { gcStall: stalls(30.1) }],
    ['gcCpuShare', { gc: { cpuShare: 0.051 } }],
    ['memoryPressureSome', { cgroup: { memoryPressure: { some: 0.11, full: 0 } } }],
    ['memoryPressureFull', { cgroup: { memoryPressure: { some: 0.02, full: 0.011 } } }],
  ])('watches %s', (signal, over) => {
    const windows = syntheticWindows(5, () => over);
    expect(evaluate(windows, thresholds, at(windows))).toMatchObject({ type: 'breach', signal });
  });

  it('holds a value at its limit to be within', () => {
    const windows = syntheticWindows(5, () => ({ gcStall: stalls(30), gc: { cpuShare: 0.05 } }));
    expect(evaluate(windows, thresholds, at(windows))).toEqual({ type: 'ok' });
  });

  it('reports the most urgent of several: an OOM kill is nearer than a slow event', () => {
    const windows = syntheticWindows(5, () => ({ ...slow, cgroup: { memoryPressure: { some: 0.5, full: 0.2 } } }));
    expect(evaluate(windows, thresholds, at(windows))).toMatchObject({ signal: 'memoryPressureFull' });
    expect([...everBroken(windows, thresholds)]).toEqual(['memoryPressureFull', 'gcStallP99', 'memoryPressureSome']);
  });

  it('judges no window older than two windows, and none at all', () => {
    const windows = syntheticWindows(5, () => slow);
    expect(evaluate(windows, thresholds, at(windows, 2001))).toMatchObject({ type: 'stale' });
    expect(evaluate(windows, thresholds, at(windows, 2000)).type).toBe('breach');
    expect(evaluate([], thresholds, new Date())).toEqual({ type: 'stale', reason: 'no window yet' });
  });

  it('says nothing of a signal that no window knows', () => {
    const windows = syntheticWindows(5, () => ({ gc: null, cgroup: null }));
    expect(evaluate(windows, thresholds, at(windows))).toEqual({ type: 'ok' });
  });

  it('does not mix a restarted container with the one before', () => {
    const restarted = (seq: number, over: WindowOver) =>
      syntheticWindow(seq, {
        ...over,
        containerId: 'c2',
        endedAt: new Date(EPOCH_MS + (2 + seq) * 1000).toISOString(),
      });
    const windows = [...syntheticWindows(2, () => slow), restarted(0, {}), restarted(1, {}), restarted(2, slow)];
    expect(evaluate(windows, thresholds, at(windows))).toEqual({ type: 'ok' });
  });

  it('breaches exactly when k of the last n are over, for every k, n and series', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        (over, a, b) => {
          const breach = { windows: Math.min(a, b), of: Math.max(a, b) };
          const windows = over.map((isOver, seq) => syntheticWindow(seq, isOver ? slow : {}));
          const expected = over.slice(-breach.of).filter(Boolean).length >= breach.windows ? 'breach' : 'ok';
          expect(evaluate(windows, { ...thresholds, breach }, at(windows)).type).toBe(expected);
        },
      ),
    );
  });

  it('adds rare events up over the n windows: one OOM kill does not wait for two more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 12 }),
        (kills, limit, of) => {
          const spec = syntheticSpec({ thresholds: { oomKills: limit, breach: { windows: 1, of } } });
          const windows = kills.map((oomKills, seq) => syntheticWindow(seq, { cgroup: { oomKills } }));
          const sum = kills.slice(-of).reduce((total, count) => total + count, 0);
          expect(evaluate(windows, deriveThresholds(spec), at(windows))).toMatchObject(
            sum > limit ? { type: 'breach', signal: 'oomKills', observed: sum, unit: 'count' } : { type: 'ok' },
          );
        },
      ),
    );
  });

  it('judges no further signal on which the policy sets no limit, whatever the windows', () => {
    const value = fc.double({ min: 0, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(value, value, fc.integer({ min: 0, max: 1000 }), (ns, rate, cycles) => {
        const windows = syntheticWindows(5, () => ({
          gcPause: { count: 1, p50Ns: ns, p99Ns: ns, maxNs: ns, sumNs: ns },
          gc: { cycles, allocBytesPerSecond: rate, heapLiveBytes: rate, limiterOn: true },
          cgroup: { oomKills: cycles, throttledShare: 1, memoryCurrentBytes: rate },
        }));
        expect(evaluate(windows, thresholds, at(windows))).toEqual({ type: 'ok' });
      }),
    );
  });
});

describe('hysteresis', () => {
  const run = (text: string) => {
    const seen = pattern(text);
    const fired: number[] = [];
    let latch: Latch = {};
    seen.forEach((window, index) => {
      const windows = seen.slice(0, index + 1);
      const step = advance(latch, windows, thresholds, at(windows));
      latch = step.latch;
      if (step.evaluation.type === 'breach') fired.push(window.seq);
    });
    return fired;
  };

  it.each<[string, number[]]>([
    ['xxxxxxxxxx', [2]],
    ['xxx.xx.xx', [2]],
    // Two of five are still over: not re-armed, so the next three do not fire anew.
    ['xxx...xxx', [2]],
    ['xxx....xxx', [2, 9]],
    // Windows with lost events prove no health.
    ['xxx????xxx', [2]],
    ['xxx____.xxx', [2]],
    ['xxx____.....xxx', [2, 14]],
  ])('%s fires at %j', (text, fired) => expect(run(text)).toEqual(fired));

  it('keeps the latch through stale signals', () => {
    const windows = syntheticWindows(5);
    const latch: Latch = { gcStallP99: new Date(EPOCH_MS).toISOString() };
    expect(advance(latch, windows, thresholds, at(windows, 60_000)).latch).toEqual(latch);
    expect(advance(latch, windows, thresholds, at(windows)).latch).toEqual({});
  });

  it('lets another signal fire while one is latched', () => {
    const windows = syntheticWindows(5, () => ({ ...slow, gc: { cpuShare: 0.3 } }));
    const step = advance({ gcStallP99: windows[0]?.endedAt ?? '' }, windows, thresholds, at(windows));
    expect(step.evaluation).toMatchObject({ type: 'breach', signal: 'gcCpuShare' });
    expect(Object.keys(step.latch).sort()).toEqual(['gcCpuShare', 'gcStallP99']);
  });

  it('never fires twice without having been re-armed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('x', '.', '?', '_'), { maxLength: 60 }), (signs) => {
        const seen = pattern(signs.join(''));
        let latch: Latch = {};
        let armed = true;
        seen.forEach((_, index) => {
          const windows = seen.slice(0, index + 1);
          if (rearmed('gcStallP99', windows, thresholds)) armed = true;
          const step = advance(latch, windows, thresholds, at(windows));
          latch = step.latch;
          if (step.evaluation.type === 'breach') {
            expect(armed).toBe(true);
            armed = false;
          }
        });
      }),
    );
  });

  it('lets a summed signal fire once for each accident, however the windows lie', () => {
    const strict = deriveThresholds(syntheticSpec({ thresholds: { oomKills: 0 } }));
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (kills) => {
        const seen = kills.map((killed, seq) => syntheticWindow(seq, { cgroup: { oomKills: killed ? 1 : 0 } }));
        let latch: Latch = {};
        seen.forEach((window, index) => {
          const windows = seen.slice(0, index + 1);
          const step = advance(latch, windows, strict, at(windows));
          const quietBefore = kills.slice(Math.max(0, index - strict.breach.of), index).every((killed) => !killed);
          if (step.evaluation.type === 'breach') expect(kills[window.seq]).toBe(true);
          if (kills[index] && quietBefore && index >= strict.breach.of) expect(step.evaluation.type).toBe('breach');
          latch = step.latch;
        });
      }),
    );
  });

  it('forgets what the policy no longer judges', () => {
    const windows = syntheticWindows(5, () => ({ gc: { cycles: 50 } }));
    expect(advance({ gcRate: windows[0]?.endedAt ?? '' }, windows, thresholds, at(windows)).latch).toEqual({});
  });
});
