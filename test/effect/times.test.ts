import { describe, expect, it } from 'vitest';
import { type LiveState, RobotGCIncident } from '../../src/api/index.ts';
import { healingTimes } from './times.ts';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const summary = {
  windows: 9,
  gcCpuShare: 0.2,
  gcStallP99Ms: 1,
  gcPauseP99Ms: 1,
  gcRatePerSecond: 10,
  heapLiveBytes: 1,
  heapGoalBytes: 2,
  gogc: 10,
};

/** Breach at 10 s, evidence at 16 s, decided at 16.4 s, all pods by the operator's word at 17.5 s, verified at 29 s. */
function incident(kind: 'Live' | 'Resize', phase: 'Resolved' | 'RolledBack' = 'Resolved'): RobotGCIncident {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'r', uid: 'u' };
  const change = { knob: 'GOGC', before: '10', after: '100', result: 'Completed' };
  return RobotGCIncident.parse({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCIncident',
    metadata: { name: 'i', namespace: 'robots', uid: 'i', resourceVersion: '1', creationTimestamp: at(10) },
    spec: {
      policy: { name: 'p', uid: 'p', generation: 1 },
      pod: { name: 'p', uid: 'p' },
      container: { name: 'robot', id: 'c' },
      node: 'n',
      trigger: {
        ...{ signal: 'gcCpuShare', observed: 0.2, threshold: 0.05, unit: 'ratio', breachingWindows: 3, ofWindows: 5 },
        firstBreachAt: at(8),
        detectedAt: at(10),
      },
    },
    status: {
      phase,
      capture: { startedAt: at(10), endedAt: at(16) },
      actions: [{ kind, owner, container: 'robot', at: at(16.4), ...change }],
      verification: { before: summary, startedAt: at(17.5) },
      times: { detectMs: 2000, healMs: 19_000 },
    },
  });
}
const live: LiveState = { state: 'Applied', gogc: 100, at: at(17) };

describe('the times of a healing', () => {
  it('of a process end when its agent saw a cycle that went by the new setting', () => {
    expect(healingTimes({ incident: incident('Live'), live })).toEqual({
      detectMs: 2000,
      captureMs: 6000,
      effectMs: 1000,
      carryOutMs: 600,
      breachToEffectMs: 7000,
      healMs: 19_000,
      cycleMs: 100,
    });
  });

  it('of a limit end when the operator saw it in effect', () => {
    expect(healingTimes({ incident: incident('Resize'), live: undefined })).toMatchObject({ effectMs: 1500 });
  });

  it('are none of what was not verified as better', () => {
    expect(healingTimes({ incident: incident('Live', 'RolledBack'), live })).toBeUndefined();
  });
});
