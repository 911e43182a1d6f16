/**
 * Memory limits over whole histories: incidents raise them, needs come and go, continuous tuning brings them down. What it promises is counted
 * here by other means than its own. ROBOTGC_HISTORIES=N for another number of histories.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ActionRecord,
  bytesQuantity,
  type DesiredSettings,
  durationMs,
  type Plan,
  type PolicySpec,
  quantityBytes,
  ratio,
} from '../api/index.ts';
import { goMemLimitUnder } from '../model/index.ts';
import { syntheticSpec } from '../model/testing.ts';
import { calmMs } from './lower-limit.ts';
import { planTuning, type TuningInput } from './tuning.ts';

const HISTORIES = Number(process.env.ROBOTGC_HISTORIES ?? 5_000);
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const MIB = 2 ** 20;
const MINUTE = 60_000;
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };

const policies = fc.record({
  cooldown: fc.constantFrom('1m', '5m', '15m'),
  lowerAfter: fc.constantFrom('10m', '1h', '3h'),
  step: fc.constantFrom('15%', '25%', '50%'),
  minMib: fc.option(fc.integer({ min: 64, max: 600 })),
  holdHeap: fc.boolean(),
  actions: fc.integer({ min: 2, max: 12 }),
});
const moments = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 1000, max: 90 * MINUTE }),
    heapLiveMib: fc.oneof(fc.integer({ min: 10, max: 100 }), fc.integer({ min: 10, max: 700 })),
    nonGoMib: fc.integer({ min: 0, max: 60 }),
    /** Share of the memory limit. */
    use: fc.double({ min: 0.1, max: 0.95, noNaN: true }),
    event: fc.constantFrom('none', 'none', 'none', 'none', 'none', 'raised', 'raised', 'others'),
  }),
  { minLength: 3, maxLength: 30 },
);
type Policy = typeof policies extends fc.Arbitrary<infer P> ? P : never;
type Moment = typeof moments extends fc.Arbitrary<(infer M)[]> ? M : never;

interface World {
  nowMs: number;
  calmSinceMs: number;
  readonly seen: { readonly atMs: number; readonly liveBytes: number; readonly useBytes: number }[];
  limitBytes: number;
  goMemLimitBytes: number | null;
  wishes: DesiredSettings;
  readonly declaredBytes: number;
  readonly history: ActionRecord[];
  readonly tuned: ActionRecord[];
}

const specs = new WeakMap<Policy, PolicySpec>();

function specOf(policy: Policy): PolicySpec {
  const known = specs.get(policy) ?? parsed(policy);
  specs.set(policy, known);
  return known;
}

function parsed({ cooldown, lowerAfter, step, minMib, holdHeap, actions }: Policy) {
  const min = minMib === null ? {} : { min: `${minMib}Mi` };
  return syntheticSpec({
    activity: { tcpConnections: { port: 1 } },
    tuning: { continuous: true, memoryLimit: { max: '4Gi', step, lowerAfter, holdHeap, ...min } },
    actions: { mode: 'Auto', apply: ['Live', 'Resize'], cooldown, budget: { actions, per: '1h' } },
  });
}

/** Within the calm that is asked for, as far as that reaches. */
function peakOf(policy: Policy, world: World, of: (seen: World['seen'][number]) => number): number {
  const { nowMs, calmSinceMs, seen, history, tuned } = world;
  const fromMs = Math.max(calmSinceMs, nowMs - calmMs({ spec: specOf(policy), history, tuned }));
  return Math.max(0, ...seen.filter(({ atMs }) => atMs >= fromMs).map(of));
}

function inputOf(policy: Policy, world: World, { heapLiveMib, nonGoMib, use }: Moment): TuningInput {
  const { limitBytes, goMemLimitBytes, history, tuned, wishes, declaredBytes } = world;
  const sizes = { limitBytes, requestBytes: null, useBytes: use * limitBytes };
  const pod = { pod: 'p', node: 'n', ...sizes, restarts: false, guaranteedOtherwise: false, podLevel: false };
  const limit = bytesQuantity(limitBytes);
  return {
    spec: specOf(policy),
    ...{
      subject: 'Deployment dispatch',
      paused: false,
      killSwitch: false,
      newestWindowAgeMs: 0,
      history,
      tuned,
      wishes,
    },
    ways: [
      { kind: 'Live' },
      {
        kind: 'Resize',
        namespace: 'n',
        container: 'robot',
        limit,
        containers: [pod],
        rooms: [],
        caps: [],
        mayRestart: false,
      },
    ],
    facts: {
      ...{ pods: 1, windows: 20, activeRobots: 1000, gogcs: [50], goMemLimits: [goMemLimitBytes] },
      ...{ heapLiveBytes: heapLiveMib * MIB, rootsBytes: MIB, nonGoBytes: nonGoMib * MIB },
      ...{ memoryLimitBytes: limitBytes, newestWindowAgeMs: 0 },
    },
    calm: {
      sinceMs: world.calmSinceMs,
      peakLiveBytes: peakOf(policy, world, ({ liveBytes }) => liveBytes),
      peakUseBytes: peakOf(policy, world, ({ useBytes }) => useBytes),
    },
    declaredLimitBytes: declaredBytes,
  };
}

function record(world: World, over: Partial<ActionRecord>): ActionRecord {
  const done = { kind: 'Resize', owner, container: 'robot', knob: 'MemoryLimit', result: 'Completed' } as const;
  return { ...done, before: null, after: null, at: new Date(world.nowMs).toISOString(), ...over };
}

/** Throws with the promise that was broken. */
function holds(promise: string, isTrue: boolean): void {
  if (!isTrue) throw new Error(`broken: ${promise}`);
}

function checkLimit(policy: Policy, world: World, { nonGoMib, use }: Moment, toBytes: number): void {
  const { limitBytes, goMemLimitBytes, wishes, history, tuned, nowMs } = world;
  holds('down, by a tenth at least', toBytes <= limitBytes * 0.9);
  holds('by one step at most', toBytes >= limitBytes / (1 + ratio(policy.step)) - 1);
  holds('not below what the team declared', toBytes >= world.declaredBytes);
  holds('not below the policy’s minimum', toBytes >= (policy.minMib ?? 0) * MIB);
  holds('not below use and head-room', toBytes >= use * limitBytes * 1.1 - 1);
  const isHeld = goMemLimitBytes !== null;
  if (isHeld)
    holds('GOMEMLIMIT came down before', goMemLimitBytes <= 1.11 * goMemLimitUnder(toBytes, nonGoMib * MIB, '90%'));
  holds('what is set live is for no more', (wishes.GOMEMLIMIT?.underBytes ?? 0) <= toBytes);
  holds('the live heap has room', peakOf(policy, world, ({ liveBytes }) => liveBytes) <= 0.6 * 0.9 * toBytes + 1);
  const last = [...history, ...tuned]
    .filter(({ knob }) => knob === 'MemoryLimit')
    .toSorted((a, b) => a.at.localeCompare(b.at))
    .at(-1);
  holds('only what robotgc set', last !== undefined && quantityBytes(last.after ?? '') === limitBytes);
  const sinceMs = Math.max(world.calmSinceMs, Date.parse(last?.at ?? ''));
  holds('after a calm time', nowMs - sinceMs >= durationMs(policy.lowerAfter));
}

function carryOut(world: World, { kind, knob, from = null, to = null, underBytes }: Plan): void {
  if (kind === 'None' || !knob) return;
  world.tuned.push(record(world, { kind, knob, before: from, after: to, underBytes: { after: underBytes } }));
  if (knob === 'MemoryLimit') world.limitBytes = quantityBytes(to ?? '') ?? 0;
  if (knob !== 'GOMEMLIMIT') return;
  world.goMemLimitBytes = Number(to);
  world.wishes = { ...world.wishes, GOMEMLIMIT: { from, to, underBytes } };
}

/** An incident that ends before the next moment, or somebody else. */
function happens(policy: Policy, world: World, event: Moment['event']): void {
  if (event === 'none') return;
  const before = bytesQuantity(world.limitBytes);
  world.limitBytes = Math.ceil((world.limitBytes * (1 + ratio(policy.step))) / MIB) * MIB;
  world.calmSinceMs = world.nowMs;
  if (event === 'raised') world.history.push(record(world, { before, after: bytesQuantity(world.limitBytes) }));
}

const worlds = fc.record({ mib: fc.integer({ min: 128, max: 1024 }), isHeld: fc.boolean() });

function worldOf({ mib, isHeld }: { mib: number; isHeld: boolean }): World {
  const goMemLimitBytes = isHeld ? goMemLimitUnder(mib * MIB, 0, '90%') : null;
  const ours = { GOMEMLIMIT: { from: null, to: String(goMemLimitBytes), underBytes: mib * MIB } };
  return {
    ...{ nowMs: START_MS, calmSinceMs: START_MS, seen: [] },
    ...{ limitBytes: mib * MIB, declaredBytes: mib * MIB, goMemLimitBytes },
    wishes: { policy: 'p', ...(isHeld ? ours : {}) },
    ...{ history: [], tuned: [] },
  };
}

function lookAt(policy: Policy, world: World, moment: Moment): Plan {
  world.nowMs += moment.afterMs;
  const { nowMs: atMs, limitBytes } = world;
  world.seen.push({ atMs, liveBytes: moment.heapLiveMib * MIB, useBytes: moment.use * limitBytes });
  return planTuning(inputOf(policy, world, moment), new Date(world.nowMs));
}

/** Of one knob, by whomever: up after down, or down after up. */
function checkReversals(policy: Policy, { history, tuned }: World): void {
  const isUp = ({ before, after }: ActionRecord) => sizeOf(after) > sizeOf(before);
  for (const knob of ['MemoryLimit', 'GOMEMLIMIT'] as const) {
    const all = [...history, ...tuned]
      .filter((each) => each.knob === knob)
      .toSorted((a, b) => a.at.localeCompare(b.at));
    const decided = all.filter(
      (each, at) => tuned.includes(each) && at > 0 && isUp(each) !== isUp(all[at - 1] ?? each),
    );
    for (const [at, { at: when }] of decided.entries())
      if (at > 0)
        holds(
          'at most one reversal of ours per cool-down',
          Date.parse(when) - Date.parse(decided[at - 1]?.at ?? '') >= durationMs(policy.cooldown),
        );
  }
}

function sizeOf(text: string | null): number {
  return text === null ? Number.POSITIVE_INFINITY : (quantityBytes(text) ?? Number(text));
}

it(`keeps every promise in ${HISTORIES} random policies and histories`, { timeout: 600_000 }, () => {
  let lowered = 0;
  fc.assert(
    fc.property(policies, worlds, moments, (policy, start, life) => {
      const world = worldOf(start);
      for (const moment of life) {
        const plan = lookAt(policy, world, moment);
        if (plan.kind !== 'None' && !plan.blockedBy) {
          if (plan.knob === 'MemoryLimit') {
            lowered += 1;
            checkLimit(policy, world, moment, quantityBytes(plan.to ?? '') ?? 0);
          }
          carryOut(world, plan);
        }
        happens(policy, world, moment.event);
      }
      checkReversals(policy, world);
    }),
    { numRuns: HISTORIES },
  );
  // Otherwise the promises were kept by doing nothing.
  expect(lowered).toBeGreaterThan(HISTORIES / 20);
});

it('comes to rest at what the team declared, where that is enough', () => {
  fc.assert(
    fc.property(policies, worlds, fc.integer({ min: 1, max: 4 }), (policy, start, raises) => {
      const world = worldOf(start);
      const declaredMib = start.mib;
      for (let times = 0; times < raises; times++) happens(policy, world, 'raised');
      const calm: Moment = { afterMs: 65 * MINUTE, heapLiveMib: declaredMib / 8, nonGoMib: 0, use: 0.3, event: 'none' };
      for (let looks = 0; looks < 200; looks++) {
        const plan = lookAt(policy, world, { ...calm, use: (0.3 * declaredMib * MIB) / world.limitBytes });
        if (!plan.blockedBy) carryOut(world, plan);
      }
      const floorBytes = Math.max(world.declaredBytes, (policy.minMib ?? 0) * MIB);
      // What is left is less than a tenth, which is not worth a change.
      expect(world.limitBytes * 0.9).toBeLessThan(floorBytes + MIB);
      const last = Date.parse(world.tuned.at(-1)?.at ?? new Date(START_MS).toISOString());
      expect(world.nowMs - last).toBeGreaterThan(24 * 60 * MINUTE);
    }),
    { numRuns: 100 },
  );
});
