/**
 * The pure planner over whole histories: plan → act → kept or rolled back → plan again, under random policies, heaps, loads and troubles. What
 * the guardrails promise is counted here by other means than theirs. ROBOTGC_HISTORIES=N for another number of histories.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ActionRecord, durationMs, type Knob, knobOf, type PolicySpec, ratio } from '../api/index.ts';
import { heapGoalBytes, summarise } from '../model/index.ts';
import { syntheticWindows } from '../model/testing.ts';
import type { PlanInput } from './input.ts';
import { plan } from './plan.ts';
import { simulatedPolicies } from './testing.ts';

const HISTORIES = Number(process.env.ROBOTGC_HISTORIES ?? 100_000);
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
const summary = summarise(syntheticWindows(20));

const policies = simulatedPolicies({ mostActions: 6, highestMin: 200, continuous: false });

const MiB = 2 ** 20;
const moments = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 500, max: 900_000 }),
    active: fc.option(fc.integer({ min: 0, max: 100_000 })),
    heapLiveBytes: fc.integer({ min: 0, max: 900 * MiB }),
    rootsBytes: fc.integer({ min: 0, max: 20 * MiB }),
    nonGoBytes: fc.integer({ min: 0, max: 200 * MiB }),
    cause: fc.constantFrom('GogcTooLow', 'GogcTooLow', 'GogcTooLow', 'MemoryLimitTooTight', 'Leak', 'NotGc'),
    confidence: fc.double({ min: 0.2, max: 1, noNaN: true }),
    ageMs: fc.option(fc.integer({ min: 0, max: 2600 }), { freq: 10 }),
    trouble: fc.constantFrom('none', 'none', 'none', 'none', 'paused', 'killSwitch', 'busy', 'storm', 'inFlight'),
    outcome: fc.constantFrom('kept', 'rolledBack', 'rolledBack'),
    verifyMs: fc.integer({ min: 100, max: 60_000 }),
  }),
  { minLength: 2, maxLength: 12 },
);
type Moment = typeof moments extends fc.Arbitrary<(infer M)[]> ? M : never;

interface World {
  nowMs: number;
  gogc: number;
  goMemLimitBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly history: ActionRecord[];
  /** Rollbacks since the last change that was kept. */
  failures: number;
  /** Every change of a knob, ours and the way back: when, and whether upwards. */
  readonly turns: { readonly knob: Knob; readonly atMs: number; readonly up: boolean; readonly isDecision: boolean }[];
}

function inputOf(spec: PolicySpec, world: World, moment: Moment): PlanInput {
  const { heapLiveBytes, rootsBytes, nonGoBytes, trouble } = moment;
  const until = { atMs: world.nowMs, untilMs: world.nowMs + 1, windowMs: 1 };
  return {
    spec,
    signal: 'gcCpuShare',
    diagnosis: { cause: moment.cause, summary: 's', confidence: moment.confidence, evidence: [] },
    summary: { ...summary, gogc: world.gogc, heapLiveBytes },
    rootsBytes,
    nonGoBytes,
    useBytes: heapLiveBytes + rootsBytes + nonGoBytes,
    subject: 'Deployment dispatch',
    ways: [{ kind: 'Live' }],
    memoryLimitBytes: world.memoryLimitBytes,
    goMemLimitBytes: world.goMemLimitBytes,
    activeRobots: moment.active,
    history: trouble === 'inFlight' ? [...world.history, record(world, 'GOGC', '1', '2', 'Applied')] : world.history,
    busyWith: trouble === 'busy' ? 'another' : undefined,
    paused: trouble === 'paused',
    killSwitch: trouble === 'killSwitch',
    breaker: trouble === 'storm' ? { type: 'open', because: 'breached', workloads: 9, limit: 9, ...until } : undefined,
    newestWindowAgeMs: moment.ageMs,
  };
}

function record(
  { nowMs }: World,
  knob: Knob,
  before: string | null,
  after: string | null,
  result: ActionRecord['result'] = 'Completed',
): ActionRecord {
  return { kind: 'Live', owner, container: 'robot', knob, before, after, at: new Date(nowMs).toISOString(), result };
}

/** Throws with the promise that was broken. */
function holds(promise: string, isTrue: boolean): void {
  if (!isTrue) throw new Error(`broken: ${promise}`);
}

function checkAction(spec: PolicySpec, world: World, moment: Moment, knob: Knob, to: string): void {
  const { actions, tuning } = spec;
  const { heapLiveBytes, rootsBytes, nonGoBytes, ageMs, trouble } = moment;
  holds('only in mode Auto, with nothing and nobody against it', actions.mode === 'Auto' && trouble === 'none');
  holds('no action on stale signals', ageMs !== null && ageMs <= 2000);
  holds('no action on an uncertain diagnosis', moment.confidence >= 0.4);
  const changes = world.history.filter(({ kind }) => kind !== 'Rollback').map(({ at }) => Date.parse(at));
  const spent = changes.filter((atMs) => atMs > world.nowMs - durationMs(actions.budget.per)).length;
  holds('budget', spent < actions.budget.actions);
  const last = Math.max(...world.history.map(({ at }) => Date.parse(at)));
  const cooldownMs = durationMs(actions.cooldown) * 2 ** Math.min(6, world.failures);
  holds('cool-down, doubled by each rollback', world.history.length === 0 || world.nowMs - last >= cooldownMs);
  if (knob === 'GOGC') {
    const gogc = Number(to);
    holds('a change of 10 % at least', (gogc - world.gogc) * 10 >= world.gogc);
    holds('step', gogc <= Math.floor(world.gogc * (1 + ratio(tuning.gogc.maxStep)) + 1e-9));
    holds('bounds', gogc <= tuning.gogc.max);
    if (world.memoryLimitBytes !== null && heapLiveBytes > 0) {
      const goal = heapGoalBytes(heapLiveBytes, rootsBytes, gogc) + nonGoBytes;
      holds('memory fit', goal <= ratio(tuning.memoryLimit.goMemLimit) * world.memoryLimitBytes + 1);
    }
  } else {
    holds('no memory limit is changed live', knob === 'GOMEMLIMIT');
    const limit = world.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
    holds('GOMEMLIMIT under the memory limit', bytesOf(to) <= limit);
  }
}

function bytesOf(text: string | null): number {
  if (text === null || text === 'off') return Number.POSITIVE_INFINITY;
  const [, amount, unit] = /^([0-9.]+)(Ki|Mi|Gi)?$/.exec(text) ?? [];
  return Number(amount) * ({ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }[unit ?? ''] ?? 1);
}

function turn(world: World, { kind, knob: changed, before, after }: ActionRecord): void {
  const knob = knobOf(changed);
  const size = knob === 'GOGC' ? Number : bytesOf;
  world.turns.push({ knob, atMs: world.nowMs, up: size(after) > size(before), isDecision: kind !== 'Rollback' });
}

/** A change that we decide on against where the knob went last, be that by a way back, comes a whole cool-down after the one before it. */
function checkTurns({ actions }: PolicySpec, { turns }: World): void {
  for (const knob of ['GOGC', 'GOMEMLIMIT'] as const) {
    const own = turns.filter((each) => each.knob === knob);
    const reversals = own.filter(({ up, isDecision }, index) => isDecision && index > 0 && own[index - 1]?.up !== up);
    const isApart = reversals.every(
      ({ atMs }, index) => index === 0 || atMs - (reversals[index - 1]?.atMs ?? 0) >= durationMs(actions.cooldown),
    );
    holds('at most one reversal per cool-down', isApart);
  }
}

function carryOut(world: World, knob: Knob, to: string, { outcome, verifyMs }: Moment): void {
  const from =
    knob === 'GOGC' ? String(world.gogc) : world.goMemLimitBytes === null ? null : String(world.goMemLimitBytes);
  const change = record(world, knob, from, to);
  world.history.push(change);
  turn(world, change);
  world.nowMs += verifyMs;
  if (outcome === 'kept') {
    world.failures = 0;
    if (knob === 'GOGC') world.gogc = Number(to);
    else world.goMemLimitBytes = bytesOf(to);
    return;
  }
  world.failures += 1;
  const back: ActionRecord = { ...record(world, knob, to, from), kind: 'Rollback', undoes: 'Live' };
  world.history.push(back);
  turn(world, back);
}

it(`keeps every promise of the guardrails in ${HISTORIES} random policies and histories`, { timeout: 600_000 }, () => {
  const worlds = fc.record({
    gogc: fc.integer({ min: 5, max: 800 }),
    goMemLimitBytes: fc.option(fc.integer({ min: 32 * MiB, max: 1024 * MiB })),
    memoryLimitBytes: fc.option(fc.integer({ min: 64 * MiB, max: 2048 * MiB }), { freq: 5 }),
  });
  let acted = 0;
  fc.assert(
    fc.property(policies, worlds, moments, (spec, start, life) => {
      const world: World = { ...start, nowMs: START_MS, history: [], failures: 0, turns: [] };
      for (const moment of life) {
        world.nowMs += moment.afterMs;
        const { kind, knob, to, blockedBy } = plan(inputOf(spec, world, moment), new Date(world.nowMs));
        if (kind === 'None' || blockedBy || !knob || to === null || to === undefined) continue;
        acted += 1;
        checkAction(spec, world, moment, knobOf(knob), to);
        carryOut(world, knobOf(knob), to, moment);
      }
      checkTurns(spec, world);
    }),
    { numRuns: HISTORIES },
  );
  // Otherwise the promises were kept by doing nothing.
  expect(acted).toBeGreaterThan(HISTORIES / 10);
});
