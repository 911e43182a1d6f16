import { describe, expect, test } from 'vitest';
import type { CgroupSample, MemoryStat } from '../../host/index.ts';
import { SlowLedger } from './slow-facts.ts';

const stat = (over: Partial<MemoryStat>): MemoryStat => ({
  anonBytes: 0,
  fileBytes: 0,
  inactiveFileBytes: 0,
  majorFaults: 0,
  refaultsAnon: 0,
  refaultsFile: 0,
  pagesScanned: 0,
  pagesStolen: 0,
  ...over,
});
const cpu = (totalNs: number): CgroupSample['pressure'] => ({
  memory: null,
  cpu: { some: { avg10: 0, avg60: 0, avg300: 0, totalNs }, full: null },
  io: null,
});

describe('SlowLedger', () => {
  test('rates and shares are over the time between two readings, not over the window', () => {
    const ledger = new SlowLedger();
    expect(ledger.take({ stat: stat({}), pressure: cpu(0), slowAtMs: 1_000 })).toEqual({
      reclaim: null,
      cpuPressure: null,
      ioPressure: null,
    });
    const read = stat({ refaultsFile: 400, pagesScanned: 8_000, pagesStolen: 4_000, majorFaults: 4 });
    const facts = ledger.take({ stat: read, pressure: cpu(2e9), slowAtMs: 5_000 });
    expect(facts).toEqual({
      reclaim: {
        majorFaultsPerSecond: 1,
        refaultsAnonPerSecond: 0,
        refaultsFilePerSecond: 100,
        pagesScannedPerSecond: 2_000,
        pagesStolenPerSecond: 1_000,
      },
      cpuPressure: { some: 0.5, full: null },
      ioPressure: null,
    });
    // Not read anew: what was known stands.
    expect(ledger.take({ stat: read, pressure: cpu(2e9), slowAtMs: 5_000 })).toBe(facts);
    expect(ledger.take({ stat: read, pressure: cpu(2e9), slowAtMs: 6_000 })).toMatchObject({
      reclaim: { pagesScannedPerSecond: 0 },
      cpuPressure: { some: 0 },
    });
  });

  test('what is not told is null, and known again after two readings', () => {
    const ledger = new SlowLedger();
    const pressure = cpu(0);
    ledger.take({ stat: stat({ pagesScanned: null }), pressure, slowAtMs: 0 });
    const first = ledger.take({ stat: stat({ pagesScanned: null, majorFaults: 3 }), pressure, slowAtMs: 1_000 });
    expect(first.reclaim).toMatchObject({ pagesScannedPerSecond: null, majorFaultsPerSecond: 3 });
    expect(ledger.take({ stat: null, pressure, slowAtMs: 2_000 }).reclaim).toBeNull();
    expect(ledger.take({ stat: stat({ majorFaults: 9 }), pressure, slowAtMs: 3_000 }).reclaim).toBeNull();
    const again = ledger.take({ stat: stat({ majorFaults: 11 }), pressure, slowAtMs: 4_000 });
    expect(again.reclaim?.majorFaultsPerSecond).toBe(2);
  });

  test('a counter that fell gives no negative rate', () => {
    const ledger = new SlowLedger();
    ledger.take({ stat: stat({ majorFaults: 9 }), pressure: cpu(7), slowAtMs: 0 });
    expect(ledger.take({ stat: stat({ majorFaults: 2 }), pressure: cpu(1), slowAtMs: 1_000 })).toMatchObject({
      reclaim: { majorFaultsPerSecond: 0 },
      cpuPressure: { some: 0 },
    });
  });
});
