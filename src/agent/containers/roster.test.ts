import { describe, expect, test } from 'vitest';
import { keyOf, type Pod } from '../../kube/index.ts';
import { HeapHistory } from '../../model/index.ts';
import { containerIdOf, type PodOptions, pod, policy } from '../testing/objects.ts';
import { lastWindowMs, Roster } from './roster.ts';

const first = containerIdOf('a');
const second = containerIdOf('b');
const dispatch = policy('dispatch');

/** A store as a cache of the API holds it. */
function storeOf<T extends { readonly metadata: Parameters<typeof keyOf>[0] }>(objects: T[]) {
  return {
    list: () => objects,
    get: (key: string) => objects.find(({ metadata }) => keyOf(metadata) === key),
  };
}

/** A roster with one pod that runs, and how to change that. */
function rosterOf(): { roster: Roster; policies: (typeof dispatch)[]; becomes: (options: PodOptions | null) => void } {
  const pods: Pod[] = [pod('dispatch-0')];
  const policies = [dispatch];
  const roster = new Roster({
    ...{ node: 'node-1', policies: storeOf(policies), pods: storeOf(pods) },
    heapHistory: () => new HeapHistory(),
  });
  roster.refresh(0);
  return {
    roster,
    policies,
    becomes: (options) => pods.splice(0, 1, ...(options === null ? [] : [pod('dispatch-0', options)])),
  };
}
const watched = (roster: Roster): string[] => roster.targets.map(({ key }) => key);
const reported = (roster: Roster): string[] => roster.ofPolicy('robots/dispatch').map(({ target: { key } }) => key);

describe('a container that was killed', () => {
  test('is watched no more, but what was recorded of it is there until its last window is judged and sent', () => {
    const { roster, becomes } = rosterOf();
    const recorder = roster.recorder(first);
    becomes({ running: { robot: 'b' } });
    expect(roster.refresh(1000)).toEqual([]);
    expect(watched(roster)).toEqual([second]);
    expect(reported(roster)).toEqual([second, first]);
    expect(roster.selected(first)?.pod.metadata.name).toBe('dispatch-0');
    expect(roster.recorder(first)).toBe(recorder);
    expect(roster.hasEnded).toBe(true);
    expect(roster.refresh(1000 + lastWindowMs)).toEqual([first]);
    expect(reported(roster)).toEqual([second]);
    expect(roster.hasEnded).toBe(false);
  });

  test('is dropped at that time also when it does not start again', () => {
    const { roster, becomes } = rosterOf();
    roster.recorder(first);
    becomes({ running: {} });
    roster.refresh(1000);
    expect(roster.refresh(2000)).toEqual([]);
    expect(roster.refresh(1000 + lastWindowMs)).toEqual([first]);
  });
});

describe('nothing is kept of a container', () => {
  test.each<[string, (r: ReturnType<typeof rosterOf>) => void]>([
    [
      'whose pod is being deleted',
      ({ becomes }) => becomes({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
    ['whose pod is gone', ({ becomes }) => becomes(null)],
    ['whose pod was made anew', ({ becomes }) => becomes({ metadata: { uid: 'another' }, running: { robot: 'b' } })],
    ['that no policy selects any more', ({ becomes }) => becomes({ metadata: { labels: {} } })],
    ['whose policy is gone', ({ policies }) => policies.splice(0)],
  ])('%s', (_, change) => {
    const rig = rosterOf();
    rig.roster.recorder(first);
    change(rig);
    expect(rig.roster.refresh(1000)).toEqual([first]);
    expect(rig.roster.selected(first)).toBeUndefined();
    expect(reported(rig.roster)).not.toContain(first);
    expect(rig.roster.hasEnded).toBe(false);
  });
});
