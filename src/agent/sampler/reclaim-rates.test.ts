import { describe, expect, test } from 'vitest';
import type { MemoryStat } from '../../host/index.ts';
import { ReclaimLedger } from './reclaim-rates.ts';

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

describe('ReclaimLedger', () => {
  test('rates are over the time between two readings of memory.stat, not over the window', () => {
    const ledger = new ReclaimLedger();
    expect(ledger.take({ stat: stat({}), statAtMs: 1_000 })).toBeNull();
    const read = stat({ refaultsFile: 400, pagesScanned: 8_000, pagesStolen: 4_000, majorFaults: 4 });
    const rates = ledger.take({ stat: read, statAtMs: 5_000 });
    expect(rates).toEqual({
      majorFaultsPerSecond: 1,
      refaultsAnonPerSecond: 0,
      refaultsFilePerSecond: 100,
      pagesScannedPerSecond: 2_000,
      pagesStolenPerSecond: 1_000,
    });
    // Not read anew: what was known stands.
    expect(ledger.take({ stat: read, statAtMs: 5_000 })).toBe(rates);
    expect(ledger.take({ stat: read, statAtMs: 6_000 })?.pagesScannedPerSecond).toBe(0);
  });

  test('what is not told is null; a file that went and came begins anew', () => {
    const ledger = new ReclaimLedger();
    ledger.take({ stat: stat({ pagesScanned: null }), statAtMs: 0 });
    const rates = ledger.take({ stat: stat({ pagesScanned: null, majorFaults: 3 }), statAtMs: 1_000 });
    expect(rates).toMatchObject({ pagesScannedPerSecond: null, majorFaultsPerSecond: 3 });
    expect(ledger.take({ stat: null, statAtMs: null })).toBeNull();
    expect(ledger.take({ stat: stat({ majorFaults: 9 }), statAtMs: 3_000 })).toBeNull();
  });

  test('a counter that fell gives no negative rate', () => {
    const ledger = new ReclaimLedger();
    ledger.take({ stat: stat({ majorFaults: 9 }), statAtMs: 0 });
    expect(ledger.take({ stat: stat({ majorFaults: 2 }), statAtMs: 1_000 })?.majorFaultsPerSecond).toBe(0);
  });
});
