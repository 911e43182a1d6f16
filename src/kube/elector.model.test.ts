import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeLeases, type Passage, skewed } from '../../test/support/fake-leases.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { LeaderElector } from './elector.ts';
import { silentLog } from './log.ts';

const LEASE_MS = 15_000;
const RENEW_MS = 10_000;
const RETRY_MS = 2_000;

const passage = fc.record<Passage>({
  requestMs: fc.oneof({ weight: 6, arbitrary: fc.nat(50) }, fc.nat(12_000)),
  answerMs: fc.oneof({ weight: 6, arbitrary: fc.nat(50) }, fc.nat(12_000)),
  lose: fc.oneof(
    { weight: 10, arbitrary: fc.constant('nothing' as const) },
    fc.constantFrom('request' as const, 'answer' as const),
  ),
});
const candidate = fc.record({
  rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
  offsetMs: fc.integer({ min: -1e9, max: 1e9 }),
  lateMs: fc.nat(1_000),
  /** How long its work takes to stop when told. */
  stopMs: fc.nat(1_000),
  /** Its client heeds no abort. */
  deaf: fc.boolean(),
  /** Used one a call, over and over. */
  passages: fc.array(passage, { minLength: 1, maxLength: 20 }),
});
/** From time to time one loses the network altogether. */
const partition = fc.record({ who: fc.nat(2), fromMs: fc.nat(150_000), forMs: fc.nat(60_000) });

const good: Passage = { requestMs: 5, answerMs: 5, lose: 'nothing' };

test('never two leaders, whatever clocks and network do; and one again when the network is good (L1, L2, L3, L5)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(candidate, { minLength: 2, maxLength: 3 }),
      fc.array(partition, { maxLength: 4 }),
      async (candidates, partitions) => {
        const clock = new ManualClock();
        const startMs = clock.nowMs();
        const leases = new FakeLeases(clock);
        const stop = new AbortController();
        let healed = false;
        const working = new Set<number>();
        const led: number[] = [];
        const runs = candidates.map(({ passages, stopMs, deaf, ...skew }, who) => {
          let calls = 0;
          const next = (): Passage => {
            const sinceMs = clock.nowMs() - startMs;
            if (healed) return good;
            const cutOff = partitions.some(
              (gap) => gap.who === who && sinceMs >= gap.fromMs && sinceMs < gap.fromMs + gap.forMs,
            );
            return cutOff ? { ...good, lose: 'request' } : (passages[calls++ % passages.length] ?? good);
          };
          const elector = new LeaderElector({
            transport: leases.client(next, { deaf }),
            namespace: 'default',
            name: 'lease',
            identity: `candidate-${who}`,
            leaseDurationMs: LEASE_MS,
            renewDeadlineMs: RENEW_MS,
            retryPeriodMs: RETRY_MS,
            log: silentLog,
            clock: skewed(clock, skew),
            random: () => 0.5,
          });
          const lead = async (signal: AbortSignal): Promise<void> => {
            expect([...working]).toEqual([]);
            working.add(who);
            led.push(who);
            await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
            await new Promise<void>((resolve) => clock.after(stopMs, resolve));
            working.delete(who);
          };
          return { elector, run: elector.run({ signal: stop.signal, lead }) };
        });
        const leaders = (): number => runs.filter(({ elector }) => elector.isLeader).length;
        const safe = (): void => {
          expect(leaders()).toBeLessThanOrEqual(1);
          expect(working.size).toBeLessThanOrEqual(1);
        };
        await clock.live(200_000, safe);
        healed = true;
        // The slowest clock, a last change of the record, its own time-out, two retries.
        await clock.live((LEASE_MS + RENEW_MS + 2 * RETRY_MS + 3_000) / 0.9 + 12_000 + 20_000, safe);
        expect(leaders()).toBe(1);
        expect(working.size).toBe(1);
        stop.abort();
        await clock.live(45_000);
        await Promise.all(runs.map(({ run }) => run));
        expect(leaders()).toBe(0);
        // Released, and not merely left to run out (L4).
        expect(leases.history.at(-1)).toMatchObject({ holderIdentity: '' });
      },
    ),
    { numRuns: 100 },
  );
}, 120_000);
