import { describe, expect, test } from 'vitest';
import type { PressureSubject, PressureWatch } from '../../host/index.ts';
import { ProbeError, type TriggerEvent, type TriggerRequest } from '../../host/probe/index.ts';
import type { PressureTotals } from '../../model/pressure-onset.ts';
import { TriggeredPressure, type TriggerProbe } from './triggered-pressure.ts';

const subject = (directory: string, memoryPressureSome = 0.1): PressureSubject => ({
  directory,
  limits: { memoryPressureSome, memoryPressureFull: 0.01 },
});

/** A kernel that grants triggers, or does not: what is set in it, and what it tells. */
class Triggers implements TriggerProbe {
  readonly set = new Map<string, TriggerRequest>();
  tell: (event: TriggerEvent) => void = () => {};
  asked = 0;
  /** Why it grants no trigger on a file; null where it does. */
  refusal: (file: string) => string | null;
  /** Settles when the probe answers. */
  answering: Promise<void> = Promise.resolve();
  constructor(refusal: string | null = null) {
    this.refusal = () => refusal;
  }
  async setTrigger(request: TriggerRequest): Promise<void> {
    this.asked += 1;
    const refusal = this.refusal(request.file);
    if (!refusal) this.set.set(request.id, request);
    await this.answering;
    if (refusal) throw new ProbeError(refusal, 'no');
  }
  async clearTrigger(id: string): Promise<void> {
    this.set.delete(id);
  }
  listenToTriggers(listener: (event: TriggerEvent) => void): void {
    this.tell = listener;
  }
  idOf(directory: string, line: 'some' | 'full'): string {
    const found = [...this.set.values()].find((each) => each.file.startsWith(`${directory}/`) && each.line === line);
    if (!found) throw new Error(`nothing is set for ${directory}`);
    return found.id;
  }
}

function rig() {
  const read = new Set<string>();
  const reading: PressureWatch = {
    watch: (key) => void read.add(key),
    forget: (key) => void read.delete(key),
    close: () => read.clear(),
    [Symbol.dispose]: () => read.clear(),
  };
  const told: string[] = [];
  const shares: number[] = [];
  const totals = new Map<string, PressureTotals>();
  const watch = new TriggeredPressure(
    reading,
    (key, { signal, limit, share, toldBy }) => {
      told.push(`${key} ${signal} ${limit} ${toldBy}`);
      shares.push(share);
    },
    (directory) => totals.get(directory) ?? null,
  );
  return { watch, read, told, shares, totals };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('memory pressure by the triggers of the kernel', () => {
  test('a trigger for each line takes over from reading', async () => {
    const { watch, read } = rig();
    const probe = new Triggers();
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    expect([...read]).toEqual(['one']);
    await settled();
    expect([...read]).toEqual([]);
    expect([...probe.set.values()].map(({ file, line, stallUs, windowUs }) => [file, line, stallUs, windowUs])).toEqual(
      [
        ['/a/memory.pressure', 'some', 100_000, 1_000_000],
        ['/a/memory.pressure', 'full', 10_000, 1_000_000],
      ],
    );
  });

  test('one stretch of pressure is told once, however often the kernel tells it', async () => {
    const { watch, told } = rig();
    const probe = new Triggers();
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    await settled();
    const id = probe.idOf('/a', 'full');
    for (const seconds of [1, 2, 3, 9]) probe.tell({ type: 'pressure', id, atNs: seconds * 1e9 });
    expect(told).toEqual(Array(2).fill('one memoryPressureFull 0.01 trigger'));
  });

  test.each(['TRIGGER_REFUSED', 'NO_PERMISSION'])(
    '%s: everything is read, and no other group is asked for',
    async (code) => {
      const { watch, read } = rig();
      const probe = new Triggers(code);
      watch.useProbe(probe);
      watch.watch('one', subject('/a'));
      await settled();
      watch.watch('two', subject('/b'));
      await settled();
      expect([...read]).toEqual(['one', 'two']);
      expect(probe.asked).toBe(1);
    },
  );

  test('the share that is told is that of the second before, and never below the limit that the kernel says is exceeded', async () => {
    const { watch, shares, totals } = rig();
    const probe = new Triggers();
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    await settled();
    const ms = (atMs: number, some: number, full: number) => ({
      atNs: atMs * 1e6,
      someNs: some * 1e6,
      fullNs: full * 1e6,
    });
    for (const atMs of [1000, 2000]) watch.heed('one', ms(atMs, 5000, 3000));
    totals.set('/a', ms(2400, 5250, 3005));
    probe.tell({ type: 'pressure', id: probe.idOf('/a', 'some'), atNs: 2.4e9 });
    probe.tell({ type: 'pressure', id: probe.idOf('/a', 'full'), atNs: 2.4e9 });
    totals.delete('/a');
    probe.tell({ type: 'pressure', id: probe.idOf('/a', 'some'), atNs: 9e9 });
    expect(shares).toEqual([0.25, 0.01, 0.1]);
  });

  test('what one group is refused for a reason of its own leaves the others their triggers', async () => {
    const { watch, read } = rig();
    const probe = new Triggers();
    probe.refusal = (file) => (file.startsWith('/b/') ? 'TRIGGER_FAILED' : null);
    watch.useProbe(probe);
    for (const [key, directory] of [
      ['one', '/a'],
      ['two', '/b'],
      ['three', '/c'],
    ] as const) {
      watch.watch(key, subject(directory));
      await settled();
    }
    expect([...read]).toEqual(['two']);
    expect([...probe.set.values()].map(({ file }) => file.slice(0, 2))).toEqual(['/a', '/a', '/c', '/c']);
  });

  test('what is set stays under control when the kernel grants no more: no trigger tells an old limit', async () => {
    const { watch, read, told } = rig();
    const probe = new Triggers();
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    await settled();
    const old = probe.idOf('/a', 'some');
    probe.refusal = () => 'TRIGGER_REFUSED';
    watch.watch('two', subject('/b'));
    await settled();
    expect([...read]).toEqual(['two']);
    watch.watch('one', subject('/a', 0.5));
    await settled();
    probe.tell({ type: 'pressure', id: old, atNs: 1e9 });
    expect([[...read], told, probe.set.size]).toEqual([['two', 'one'], [], 0]);
  });

  test('a new probe may be granted what the one before was not', async () => {
    const { watch, read } = rig();
    watch.useProbe(new Triggers('TRIGGER_REFUSED'));
    watch.watch('one', subject('/a'));
    await settled();
    watch.useProbe(new Triggers());
    await settled();
    expect([...read]).toEqual([]);
  });

  test('an answer that comes when its probe has ended does not end the reading', async () => {
    const { watch, read } = rig();
    const probe = new Triggers();
    const { promise, resolve } = Promise.withResolvers<void>();
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    await settled();
    watch.forget('one');
    probe.answering = promise;
    watch.watch('one', subject('/a'));
    watch.useProbe(null);
    resolve();
    await settled();
    expect([...read]).toEqual(['one']);
  });

  test('a group that has ended by then is left to reading, the next one is asked for', async () => {
    const { watch, read } = rig();
    const probe = new Triggers('NO_SUCH_FILE');
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    await settled();
    watch.watch('two', subject('/b'));
    await settled();
    expect([[...read], probe.asked]).toEqual([['one', 'two'], 2]);
  });

  test('a probe that ends leaves everything to reading; the next one sets all anew', async () => {
    const { watch, read } = rig();
    watch.useProbe(new Triggers());
    watch.watch('one', subject('/a'));
    await settled();
    watch.useProbe(null);
    expect([...read]).toEqual(['one']);
    const next = new Triggers();
    watch.useProbe(next);
    await settled();
    expect([[...read], next.set.size]).toEqual([[], 2]);
  });

  test('new limits are new triggers; what is forgotten has none, even when it is forgotten while they are set', async () => {
    const { watch, read } = rig();
    const probe = new Triggers();
    watch.useProbe(probe);
    watch.watch('one', subject('/a'));
    await settled();
    watch.watch('one', subject('/a', 0.5));
    await settled();
    expect([...probe.set.values()].map(({ stallUs }) => stallUs)).toEqual([500_000, 10_000]);
    watch.watch('one', subject('/a', 0.5));
    expect(probe.asked).toBe(4);
    watch.watch('two', subject('/b'));
    watch.forget('two');
    watch.forget('one');
    await settled();
    expect([[...read], probe.set.size]).toEqual([[], 0]);
  });
});
