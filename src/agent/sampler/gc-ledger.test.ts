import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CycleEvent, PauseEvent } from '../../host/probe/index.ts';
import { cycleEvent, pauseEvent } from '../testing/events.ts';
import { backgroundUtilization, type GcCharge, GcLedger } from './gc-ledger.ts';

const second = 1e9;

/** A collection as the probe reports it: two pauses and the cycle's end. */
function collection(
  fromNs: number,
  toNs: number,
  over: Partial<CycleEvent> = {},
): { pauses: PauseEvent[]; cycle: CycleEvent } {
  return {
    pauses: [
      pauseEvent({ reason: 2, startNs: fromNs - 1000, totalNs: 1000 }),
      pauseEvent({ reason: 1, startNs: toNs - 1000, totalNs: 1000 }),
    ],
    cycle: cycleEvent({ markStartNs: fromNs, atNs: toNs, ...over }),
  };
}

/** Feeds each event to the window in which it arrived. */
function replay(ledger: GcLedger, collections: ReturnType<typeof collection>[], windows: number): GcCharge[] {
  return Array.from({ length: windows }, (_, n) => {
    const within = (atNs: number): boolean => atNs > n * second && atNs <= (n + 1) * second;
    const pauses = collections.flatMap((c) => c.pauses).filter((pause) => within(pause.startNs + pause.totalNs));
    const cycles = collections.map((c) => c.cycle).filter((cycle) => within(cycle.atNs));
    return ledger.close(pauses, cycles, n * second, (n + 1) * second);
  });
}

describe('GcLedger', () => {
  test('a cycle within a window: assists, dedicated, fractional and the pauses on every P; idle workers cost nothing', () => {
    const { pauses, cycle } = collection(0.2e9, 0.4e9, {
      assistNs: 5e6,
      dedicatedNs: 30e6,
      fractionalNs: 2e6,
      idleNs: 90e6,
    });
    const charge = new GcLedger().close(pauses, [cycle], 0, second);
    expect(charge.gcCpuNs).toBe(37e6 + 2 * 1000 * 2);
    expect(charge.assistCpuNs).toBe(5e6);
    expect(charge.cycles).toBe(1);
  });

  test('a collection of three seconds shows in each of its windows, and its whole cost is charged', () => {
    const ledger = new GcLedger();
    const first = collection(0.1e9, 0.2e9);
    const long = collection(0.5e9, 3.5e9, { dedicatedNs: 1.5e9, assistNs: 0.6e9 });
    const charges = replay(ledger, [first, long], 4);
    expect(charges[1]?.gcCpuNs).toBeCloseTo(2 * second * backgroundUtilization);
    expect(charges[2]?.gcCpuNs).toBeCloseTo(2 * second * backgroundUtilization);
    const total = charges.reduce((sum, charge) => sum + charge.gcCpuNs, 0);
    expect(total).toBeCloseTo(2.1e9 + 4 * 1000 * 2, -1);
  });

  test('a lost end of a cycle does not make every later window pay', () => {
    const ledger = new GcLedger();
    const first = collection(0.1e9, 0.2e9);
    const lost = collection(0.5e9, 1.5e9);
    ledger.close([...first.pauses, ...lost.pauses.slice(0, 1)], [first.cycle], 0, second);
    ledger.close(lost.pauses.slice(1), [], second, 2 * second);
    expect(ledger.close([], [], 2 * second, 3 * second).gcCpuNs).toBe(0);
  });

  test('a pause costs what each P stood still: while others had yet to stop, and all of them until the restart', () => {
    const charge = (over: Partial<PauseEvent>): number => {
      const pause = pauseEvent({ startNs: 1000, stoppingNs: 300, totalNs: 1000, ...over });
      return new GcLedger().close([pause], [cycleEvent({ atNs: 5000, procs: 4 })], 0, second).gcCpuNs;
    };
    expect(charge({ reason: 2, stoppingCpuNs: 500, restartNs: 900 })).toBe(500 + 4 * 600);
    // Mark termination: its end was taken before the restart.
    expect(charge({ reason: 1, stoppingCpuNs: 500, restartNs: 1100 })).toBe(500 + 4 * 700);
    // Go 1.22: all Ps from the beginning.
    expect(charge({ reason: 2, restartNs: 900 })).toBe(4 * 1000);
    expect(charge({ reason: 1, restartNs: 900 })).toBe(4 * 900);
  });

  test('idle workers are told apart', () => {
    const { cycle } = collection(0.2e9, 0.4e9, { idleNs: 90e6 });
    expect(new GcLedger().close([], [cycle], 0, second)).toMatchObject({ gcCpuNs: 0, idleCpuNs: 90e6 });
  });

  test('after a gap in observation nothing is assumed to be under way', () => {
    const ledger = new GcLedger();
    const first = collection(0.1e9, 0.2e9);
    ledger.close([...first.pauses, pauseEvent({ reason: 2, startNs: 0.9e9, totalNs: 10 })], [first.cycle], 0, second);
    ledger.interrupt();
    expect(ledger.close([], [], 5 * second, 6 * second).gcCpuNs).toBe(0);
  });

  test('allocation rate spans from cycle end to cycle end, across windows', () => {
    const ledger = new GcLedger();
    ledger.close([], [cycleEvent({ atNs: 0.5e9, totalAllocBytes: 100 })], 0, second);
    const charge = ledger.close([], [cycleEvent({ atNs: 2.5e9, totalAllocBytes: 500 })], 2 * second, 3 * second);
    expect(charge.allocBytesPerSecond).toBe(200);
  });

  test('a cycle is limit-driven when the goal it ran into was set by the memory limit, unless the program asked for it', () => {
    const ledger = new GcLedger();
    const limited = (atNs: number, userForced = false): CycleEvent =>
      cycleEvent({ atNs, goalByMemoryLimit: true, userForced });
    expect(ledger.close([], [limited(1)], 0, second).limitDrivenCycles).toBe(0);
    expect(ledger.close([], [limited(2), limited(3, true), limited(4)], second, 2 * second).limitDrivenCycles).toBe(2);
  });

  test('property: however collections lie across windows, the sum over windows is the sum over collections', () => {
    const lengths = fc.array(
      fc.record({
        idleNs: fc.integer({ min: 1e4, max: 2e9 }),
        markNs: fc.integer({ min: 1e5, max: 3e9 }),
        assist: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(lengths, (spans) => {
        let atNs = 10_000;
        const collections = spans.map(({ idleNs, markNs, assist }) => {
          const fromNs = atNs + idleNs + 2000;
          atNs = fromNs + markNs + 2000;
          // The pacer's quarter is the least that marking takes.
          return collection(fromNs, atNs, {
            dedicatedNs: (atNs - fromNs) * 2 * backgroundUtilization,
            assistNs: assist * markNs,
          });
        });
        // A first, short cycle tells GOMAXPROCS before anything can be charged ahead.
        const known = cycleEvent({ atNs: 1 });
        const windows = Math.ceil(atNs / second) + 1;
        const charges = replay(new GcLedger(), [{ pauses: [], cycle: known }, ...collections], windows);
        const charged = charges.reduce((sum, charge) => sum + charge.gcCpuNs, 0);
        const took = collections.reduce((sum, { cycle }) => sum + cycle.dedicatedNs + cycle.assistNs + 2 * 1000 * 2, 0);
        expect(Math.abs(charged - took)).toBeLessThan(Math.max(50_000, took * 1e-3));
        expect(charges.every((charge) => charge.gcCpuNs >= 0)).toBe(true);
      }),
    );
  });
});
