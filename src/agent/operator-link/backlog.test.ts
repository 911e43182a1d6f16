import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SignalWindow } from '../../model/index.ts';
import { WindowBuilder } from '../sampler/window-builder.ts';
import { quietSecond } from '../testing/events.ts';
import { Backlog, maxBatch } from './backlog.ts';

const builder = new WindowBuilder({
  pod: { namespace: 'robots', name: 'dispatch-0', uid: 'u' },
  container: 'robot',
  containerId: 'c',
});
const some = (count: number): SignalWindow[] => Array.from({ length: count }, () => builder.close(quietSecond({})));

describe('Backlog', () => {
  test('what is sent is gone, what was not stays, in order', () => {
    const backlog = new Backlog();
    const windows = some(3);
    backlog.add(windows);
    backlog.sent(windows.slice(0, 2));
    expect(backlog.batch()).toEqual(windows.slice(2));
  });

  test('overload drops the oldest, and counts', () => {
    const backlog = new Backlog(10);
    const windows = some(25);
    backlog.add(windows);
    expect(backlog.batch()).toEqual(windows.slice(15));
    expect(backlog.dropped).toBe(15);
  });

  test('a batch is bounded', () => {
    const backlog = new Backlog();
    backlog.add(some(maxBatch + 1));
    expect(backlog.batch()).toHaveLength(maxBatch);
  });

  test('property: whatever is added and sent, in order and never more than it may hold', () => {
    const steps = fc.array(fc.oneof(fc.record({ add: fc.nat(8) }), fc.record({ send: fc.nat(8) })));
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (list, capacity) => {
        const backlog = new Backlog(capacity);
        let added = 0;
        let sent = 0;
        for (const step of list) {
          if ('add' in step) {
            added += step.add;
            backlog.add(some(step.add));
          } else {
            const batch = backlog.batch().slice(0, step.send);
            sent += batch.length;
            backlog.sent(batch);
          }
          const seqs = backlog.batch().map(({ seq }) => seq);
          expect(seqs).toEqual(seqs.toSorted((x, y) => x - y));
          expect(backlog.size).toBeLessThanOrEqual(capacity);
          expect(added).toBe(sent + backlog.size + backlog.dropped);
        }
      }),
    );
  });
});
