import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BreakerLimits, circuitBreaker, describeBreaker, type FleetEvent } from './circuit-breaker.ts';

const limits: BreakerLimits = { windowMs: 600_000, breached: 3, rolledBack: 2 };
const breach = (workload: string, atS: number): FleetEvent => ({ type: 'breached', workload, atMs: atS * 1000 });
const rollback = (workload: string, atS: number): FleetEvent => ({ type: 'rolledBack', workload, atMs: atS * 1000 });
const at = (events: readonly FleetEvent[], seconds: number) => circuitBreaker(events, limits, seconds * 1000);

describe('the circuit breaker', () => {
  it('opens when the limit of workloads is reached within the window, and says with which numbers', () => {
    const events = [breach('a', 0), breach('b', 100), breach('c', 200)];
    expect(at(events, 199)).toEqual({ type: 'closed' });
    const open = at(events, 200);
    expect(open).toMatchObject({ type: 'open', workloads: 3, limit: 3, atMs: 200_000, untilMs: 800_000 });
    expect(open.type === 'open' && describeBreaker(open)).toBe(
      '3 workloads breached within 600 s, the limit is 3; nothing is changed anywhere until 1970-01-01T00:13:20.000Z',
    );
  });

  it('counts workloads, not events', () => {
    expect(at([breach('a', 0), breach('a', 1), breach('a', 2), breach('b', 3)], 3).type).toBe('closed');
  });

  it('does not add up breaches and rollbacks', () => {
    expect(at([breach('a', 0), breach('b', 0), rollback('c', 0)], 1).type).toBe('closed');
    expect(at([rollback('c', 0), rollback('d', 0)], 1)).toMatchObject({ type: 'open', because: 'rolledBack' });
  });

  it('stays open for a whole window after the last event that reached the limit, then closes by itself', () => {
    const events = [breach('a', 0), breach('b', 1), breach('c', 2), breach('d', 590)];
    expect(at(events, 1189)).toMatchObject({ type: 'open', atMs: 590_000 });
    expect(at(events, 1190).type).toBe('closed');
  });

  it('is not opened by a single breach after a storm that is over', () => {
    const events = [breach('a', 0), breach('b', 1), breach('c', 2), breach('d', 700)];
    expect(at(events, 701).type).toBe('closed');
  });

  it('leaves events of the future to their time', () => {
    expect(at([breach('a', 0), breach('b', 0), breach('c', 5)], 4).type).toBe('closed');
  });

  const event = fc.record<FleetEvent>({
    type: fc.constantFrom('breached', 'rolledBack'),
    workload: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    atMs: fc.integer({ min: 0, max: 3_000_000 }),
  });

  it('is as if every second had been watched: a restart in between changes nothing', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), fc.integer({ min: 0, max: 3_600_000 }), (events, now) => {
        let openUntil = 0;
        for (const type of ['breached', 'rolledBack'] as const) {
          for (const { atMs } of events.filter((e) => e.type === type && e.atMs <= now)) {
            const workloads = new Set(
              events
                .filter((e) => e.type === type && e.atMs <= atMs && atMs - e.atMs < limits.windowMs)
                .map(({ workload }) => workload),
            );
            if (workloads.size >= limits[type]) openUntil = Math.max(openUntil, atMs + limits.windowMs);
          }
        }
        const breaker = circuitBreaker(events, limits, now);
        expect(breaker.type).toBe(now < openUntil ? 'open' : 'closed');
        if (breaker.type === 'open') expect(breaker.untilMs).toBe(openUntil);
      }),
      { numRuns: 500 },
    );
  });
});
