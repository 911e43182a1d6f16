import { describe, expect, test } from 'vitest';
import type { LiveState } from '../../api/index.ts';
import type { SlowLeak } from '../../diagnosis/index.ts';
import { bytesReader, planAttach } from '../../gobin/index.ts';
import type { Rhythm, StaleGoMemLimit } from '../../model/index.ts';
import type { WayResult } from '../incidents/pprof-ways.ts';
import type { Activity, TargetState } from '../sampler/index.ts';
import { containerIdOf, pod, policy } from '../testing/objects.ts';
import { containerStates } from './container-states.ts';
import { watchlist } from './watchlist.ts';

const a = containerIdOf('a');
const b = containerIdOf('b');
const watching: TargetState = { state: 'Watching', goVersion: 'go1.26.8', pids: [1] };
const notGo: TargetState = { state: 'Refused', reason: 'not-go', message: 'not a Go program' };

function statesOf(
  spec: object,
  states: [string, TargetState][],
  ways: [string, WayResult][] = [],
  activities: [string, Activity][] = [],
  rhythms: [string, Rhythm][] = [],
  live: [string, LiveState][] = [],
  stale: [string, StaleGoMemLimit][] = [],
  leaks: [string, SlowLeak][] = [],
) {
  const list = watchlist([policy('dispatch', spec)], [pod('dispatch-0', { running: { robot: 'a', proxy: 'b' } })]);
  return containerStates('robots/dispatch', {
    node: 'node-1',
    watchlist: list,
    states: new Map(states),
    activities: new Map(activities),
    rhythms: new Map(rhythms),
    ways: new Map(ways),
    live: new Map(live),
    staleGoMemLimits: new Map(stale),
    slowLeaks: new Map(leaks),
  });
}

describe('containerStates', () => {
  test('a neighbour that is no Go program is not a refusal where the policy names no container', () => {
    expect(
      statesOf({}, [
        [a, watching],
        [b, notGo],
      ]),
    ).toEqual([{ pod: 'dispatch-0', container: 'robot', node: 'node-1', state: 'Watching', goVersion: 'go1.26.8' }]);
  });

  test('what is not observed of a container that is watched is said', () => {
    const missing = [{ signals: ['gcStall'], reason: 'NO_PERMISSION', message: 'x'.repeat(2_000) }];
    const [state] = statesOf({ container: 'robot' }, [[a, { ...watching, missing }]]);
    expect(state?.missing).toEqual([{ signals: ['gcStall'], reason: 'NO_PERMISSION', message: 'x'.repeat(1_024) }]);
    expect(state?.state).toBe('Watching');
  });

  test('how it allocates stands rounded, so that it is not written anew for a last digit', () => {
    const rhythm: Rhythm = { kind: 'timer', periodMs: 99.98712, confidence: 0.7512, reason: 'synthetic' };
    const of = (state: TargetState) => statesOf({ container: 'robot' }, [[a, state]], [], [], [[a, rhythm]])[0]?.rhythm;
    expect(of(watching)).toEqual({ kind: 'timer', periodMs: 100, confidence: 0.75 });
    expect(of(notGo)).toBeUndefined();
  });

  test('a stale GOMEMLIMIT is told with its numbers, while the container is watched', () => {
    const MIB = 2 ** 20;
    const stale = {
      type: 'above',
      goMemLimitBytes: 200 * MIB,
      memoryLimitBytes: 128 * MIB,
      fittingBytes: 115 * MIB,
    } as const;
    const of = (state: TargetState) =>
      statesOf({ container: 'robot' }, [[a, state]], [], [], [], [], [[a, stale]])[0]?.staleGoMemLimit;
    expect(of(watching)).toEqual({
      reason: 'AboveMemoryLimit',
      message:
        'GOMEMLIMIT of 200 MiB is above the memory limit of 128 MiB: the kernel kills before the collector holds back; 115 MiB would fit.',
    });
    expect(of(notGo)).toBeUndefined();
  });

  test('so is a slow leak, with its pace', () => {
    const leak = { bytesPerHour: 2 ** 30, sentence: 'Live heap grows by 1024 MiB an hour.' };
    const of = (state: TargetState) =>
      statesOf({ container: 'robot' }, [[a, state]], [], [], [], [], [], [[a, leak]])[0]?.slowLeak;
    expect(of(watching)).toEqual({ bytesPerHour: 2 ** 30, message: leak.sentence });
    expect(of(notGo)).toBeUndefined();
  });

  test('but it is when nothing else of the pod is watched', () => {
    expect(
      statesOf({}, [
        [a, notGo],
        [b, notGo],
      ]).map(({ state, reason }) => [state, reason]),
    ).toEqual([
      ['Refused', 'not-go'],
      ['Refused', 'not-go'],
    ]);
  });

  test('and when the policy names it', () => {
    expect(statesOf({ container: 'proxy' }, [[b, notGo]])).toMatchObject([
      { container: 'proxy', state: 'Refused', reason: 'not-go' },
    ]);
  });

  test('a refusal that gobin gives is one that is understood here', () => {
    const refusal = planAttach(bytesReader(Buffer.from('#!/bin/sh\nexec robot\n')));
    expect(refusal).toMatchObject({ kind: 'refused', reason: 'not-elf' });
  });

  test('which way leads to pprof, or why none does', () => {
    const unreachable: WayResult = { type: 'unreachable', code: 'unreachable', message: 'nothing listens there' };
    expect(statesOf({ container: 'robot' }, [[a, watching]], [[a, unreachable]])).toMatchObject([
      { state: 'Watching', reason: 'PprofUnreachable', message: 'nothing listens there' },
    ]);
  });

  const byConnections = { tcpConnections: { port: 80 } };
  const missing: Activity = { kind: 'unknown', reason: 'metric-missing', message: 'x'.repeat(5000) };
  test.each<[string, TargetState, Activity, object | undefined]>([
    ['why robots are not counted', watching, missing, { reason: 'metric-missing' }],
    ['nothing while they are', watching, { kind: 'count', robots: 3 }, undefined],
    ['nothing of a container that is not watched', notGo, missing, undefined],
  ])('%s', (_, state, known, told) => {
    const spec = { container: 'robot', activity: byConnections };
    const [first] = statesOf(spec, [[a, state]], [], [[a, known]]);
    if (told) expect(first?.activity).toMatchObject(told);
    else expect(first).not.toHaveProperty('activity');
    // The API server takes no longer message.
    expect(first?.activity?.message.length ?? 0).toBeLessThanOrEqual(1024);
  });

  test('nothing is said of robots that no policy wants counted any more', () => {
    const [first] = statesOf({ container: 'robot' }, [[a, watching]], [], [[a, missing]]);
    expect(first).not.toHaveProperty('activity');
  });

  test('a container just found is waiting', () => {
    expect(statesOf({ container: 'robot' }, [])).toMatchObject([{ state: 'Waiting', reason: 'Starting' }]);
  });
});

test('what became of settings that Live was asked for is told', () => {
  const live: LiveState = { state: 'Applied', gogc: 200, at: '2026-01-01T00:00:00.000Z' };
  const [robot] = statesOf({ container: 'robot' }, [[a, watching]], [], [], [], [[a, live]]);
  expect(robot).toMatchObject({ container: 'robot', live });
});
