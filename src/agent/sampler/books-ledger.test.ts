import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ControllerBooks, GcWork } from '../../host/index.ts';
import { BooksLedger, type GcReading } from './books-ledger.ts';

const procs = 4;

/** A runtime that books as Go's does: assists and workers when marking ends, a pause's time when the pause ends. */
class Runtime {
  atNs = 1e9;
  #work = {
    cycles: 0,
    procs: 0,
    sweepTerminationAtNs: 0,
    markAtNs: 0,
    markTerminationAtNs: 0,
    endAtNs: 0,
    assistNs: 0,
    dedicatedNs: 0,
    idleNs: 0,
    pauseNs: 0,
  };
  #cycle = { assistNs: 0, markStartNs: 0 };
  #totalAllocBytes = 0;

  pass(ns: number): void {
    this.atNs += ns;
    this.#totalAllocBytes += ns;
  }

  beginCycle(): void {
    this.#work = { ...this.#work, cycles: this.#work.cycles + 1, procs, sweepTerminationAtNs: this.atNs };
    this.#cycle = { assistNs: 0, markStartNs: this.atNs };
    this.pass(10_000);
    this.#work = { ...this.#work, markAtNs: this.atNs, pauseNs: this.#work.pauseNs + procs * 10_000 };
  }

  assist(ns: number): void {
    this.#cycle.assistNs += ns;
    this.pass(ns);
  }

  endCycle(dedicatedNs: number): void {
    const { assistNs, dedicatedNs: before, pauseNs } = this.#work;
    const markTerminationAtNs = this.atNs;
    this.pass(20_000);
    this.#work = {
      ...this.#work,
      markTerminationAtNs,
      endAtNs: this.atNs,
      assistNs: assistNs + this.#cycle.assistNs,
      dedicatedNs: before + dedicatedNs,
      pauseNs: pauseNs + procs * 20_000,
    };
  }

  get work(): GcWork {
    return this.#work;
  }

  read(): GcReading {
    const { assistNs, markStartNs } = this.#cycle;
    const books: ControllerBooks = {
      ...someBooks,
      atNs: this.atNs,
      assistNs,
      markStartNs,
      totalAllocBytes: this.#totalAllocBytes,
    };
    return { books, work: this.#work };
  }
}

const someBooks: Omit<ControllerBooks, 'atNs' | 'assistNs' | 'markStartNs' | 'totalAllocBytes'> = {
  gcPercent: 100,
  memoryLimitBytes: null,
  heapMinimumBytes: 4e6,
  gcPercentHeapGoalBytes: 64e6,
  sweepDistMinTriggerBytes: 0,
  heapGoalBytes: 64e6,
  goalByMemoryLimit: false,
  triggeredBytes: 60e6,
  lastHeapGoalBytes: 64e6,
  heapLiveBytes: 40e6,
  heapMarkedBytes: 32e6,
  lastStackScanBytes: 1e5,
  globalsScanBytes: 2e5,
  dedicatedNs: 0,
  fractionalNs: 0,
  idleNs: 0,
  totalFreeBytes: 0,
  mappedReadyBytes: 80e6,
  heapInUseBytes: 60e6,
  heapReleasedBytes: 0,
  heapFreeBytes: 1e6,
};

const spanNs = fc.integer({ min: 1_000, max: 50_000_000 });
/** Marking takes at least what the pacer reserves for it, as in the runtime. */
const cycle = fc.record({ restNs: spanNs, assists: fc.array(spanNs, { maxLength: 4 }), readAfter: fc.nat(5) });

describe('charges from the books', () => {
  it('sum up to what the runtime booked, wherever the readings fall', () => {
    fc.assert(
      fc.property(fc.array(cycle, { maxLength: 30 }), (cycles) => {
        const runtime = new Runtime();
        const ledger = new BooksLedger();
        const sum = { cycles: 0, gcCpuNs: 0, assistCpuNs: 0 };
        const read = (): void => {
          const charge = ledger.close(runtime.read());
          expect(charge.gcCpuNs).toBeGreaterThanOrEqual(charge.assistCpuNs);
          expect(Math.min(charge.gcCpuNs, charge.assistCpuNs, charge.cycles)).toBeGreaterThanOrEqual(0);
          sum.cycles += charge.cycles;
          sum.gcCpuNs += charge.gcCpuNs;
          sum.assistCpuNs += charge.assistCpuNs;
        };
        read();
        for (const { restNs, assists, readAfter } of cycles) {
          runtime.pass(restNs);
          if (readAfter === 0) read();
          runtime.beginCycle();
          const beganNs = runtime.atNs;
          assists.forEach((ns, index) => {
            runtime.assist(ns);
            if (readAfter === index + 1) read();
          });
          runtime.endCycle(Math.ceil(0.25 * procs * (runtime.atNs - beganNs)));
        }
        read();
        const { work } = runtime;
        expect(sum.cycles).toBe(cycles.length);
        expect(sum.assistCpuNs).toBeCloseTo(work.assistNs, 0);
        expect(sum.gcCpuNs).toBeCloseTo(work.assistNs + work.dedicatedNs + work.pauseNs, 0);
      }),
    );
  });

  it('charge a collection in every window that it spans', () => {
    const runtime = new Runtime();
    const ledger = new BooksLedger();
    ledger.close(runtime.read());
    runtime.beginCycle();
    runtime.pass(1e9);
    const first = ledger.close(runtime.read());
    expect(first).toMatchObject({ cycles: 0, gcCpuNs: 1e9 + procs * 10_000 });
    expect(first.allocBytesPerSecond).toBeCloseTo(1e9, 0);
    runtime.pass(1e9);
    expect(ledger.close(runtime.read()).gcCpuNs).toBe(1e9);
    runtime.endCycle(2e9);
    expect(ledger.close(runtime.read())).toMatchObject({ cycles: 1, gcCpuNs: procs * 20_000 });
  });

  it('wait for the next reading where the times could not be read', () => {
    const runtime = new Runtime();
    const ledger = new BooksLedger();
    ledger.close(runtime.read());
    runtime.beginCycle();
    runtime.endCycle(5e6);
    expect(ledger.close({ ...runtime.read(), work: null })).toMatchObject({ cycles: 0, gcCpuNs: 0, last: null });
    expect(ledger.close(runtime.read())).toMatchObject({ cycles: 1, gcCpuNs: 5e6 + procs * 30_000 });
  });

  it('know nothing before the first cycle, and charge nothing to the first reading', () => {
    const runtime = new Runtime();
    expect(new BooksLedger().close(runtime.read())).toMatchObject({ last: null, allocBytesPerSecond: null, cycles: 0 });
    runtime.beginCycle();
    runtime.endCycle(5e6);
    expect(new BooksLedger().close(runtime.read())).toMatchObject({
      cycles: 0,
      gcCpuNs: 0,
      last: { procs, heapMarkedBytes: 32e6, heapGoalBytes: 64e6 },
    });
  });

  it('count cycles under a goal that the memory limit set', () => {
    const runtime = new Runtime();
    const ledger = new BooksLedger();
    const limited = { goalByMemoryLimit: true };
    const reading = runtime.read();
    ledger.close({ ...reading, books: { ...reading.books, ...limited } });
    runtime.beginCycle();
    runtime.endCycle(1e6);
    expect(ledger.close(runtime.read())).toMatchObject({ cycles: 1, limitDrivenCycles: 1 });
  });
});
