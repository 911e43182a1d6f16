import { describe, expect, it } from 'vitest';
import type { ActionRecord } from '../../../api/index.ts';
import type { Pod } from '../../../kube/index.ts';
import { NO_RESIZE } from '../../resize/observe.ts';
import { foundWorkload, incidentWith, iso, podLimitedTo, policyWith, T0, viewWith } from '../testing.ts';
import { resize } from './resize.ts';

const MIB = 2 ** 20;
const action: ActionRecord = {
  kind: 'Resize',
  owner: foundWorkload.owner,
  container: 'robot',
  knob: 'MemoryLimit',
  before: '128Mi',
  after: '160Mi',
  at: iso(0),
  result: 'Applied',
};
const back: ActionRecord = { ...action, kind: 'Rollback', undoes: 'Resize', before: '160Mi', after: '128Mi' };

function progressOf(all: readonly Pod[], over: Partial<ActionRecord> = {}, useMib = 100, afterMs = 5000) {
  const useBytes = new Map(all.map(({ metadata }) => [metadata.uid, useMib * MIB]));
  const view = viewWith({ policy: policyWith(), resize: { ...NO_RESIZE, pods: all, useBytes } });
  const record = over.kind === 'Rollback' ? { ...back, ...over } : { ...action, ...over };
  return resize.progress(view, foundWorkload, record, T0 + afterMs);
}

const [small, grown, asked] = [
  podLimitedTo('pod-uid', '128Mi'),
  podLimitedTo('pod-uid', '160Mi'),
  podLimitedTo('pod-uid', '160Mi', '128Mi'),
];
const [otherSmall, otherGrown] = [podLimitedTo('b', '128Mi'), podLimitedTo('b', '160Mi')];
const late = 3 * 60_000;

describe('a resize in place', () => {
  it.each<[string, ReturnType<typeof progressOf>, object]>([
    ['has not begun', progressOf([small, otherSmall], { result: 'Pending' }), { type: 'before' }],
    ['is under way while the kubelet works', progressOf([asked, otherSmall]), { type: 'underway' }],
    ['goes on with the next pod once one is done', progressOf([grown, otherSmall]), { type: 'next' }],
    ['is settled when every pod has it', progressOf([grown, otherGrown]), { type: 'settled' }],
    ['leaves pods of another limit alone', progressOf([grown, podLimitedTo('b', '200Mi')]), { type: 'settled' }],
    [
      'yields to who set the limit of the pod in breach meanwhile',
      progressOf([podLimitedTo('pod-uid', '200Mi'), otherSmall]),
      { type: 'meanwhile', sentence: expect.stringContaining('200Mi') },
    ],
    [
      'is refused where the first pod’s node cannot do it',
      progressOf([podLimitedTo('pod-uid', '160Mi', '128Mi', 'Infeasible'), otherSmall]),
      { type: 'refused', why: expect.stringContaining('no room') },
    ],
    [
      'fails where a later pod’s node cannot do it',
      progressOf([grown, podLimitedTo('b', '160Mi', '128Mi', 'Infeasible')]),
      { type: 'failed' },
    ],
    [
      'waits for room, with the kubelet’s words',
      progressOf([podLimitedTo('pod-uid', '160Mi', '128Mi', 'Deferred')]),
      { type: 'underway', reason: expect.stringContaining('Deferred') },
    ],
    [
      'does not wait for room for ever',
      progressOf([podLimitedTo('pod-uid', '160Mi', '128Mi', 'Deferred')], {}, 100, late),
      { type: 'refused' },
    ],
    ['waits for a pod that is started anew', progressOf([]), { type: 'underway' }],
    ['fails where no pod comes', progressOf([], {}, 100, late), { type: 'failed' }],
  ])('%s', (_, progress, expected) => {
    expect(progress).toMatchObject(expected);
  });
});

describe('the way back to a smaller limit', () => {
  it.each<[string, ReturnType<typeof progressOf>, object]>([
    ['takes all pods whose use fits at once', progressOf([grown, otherGrown], { kind: 'Rollback' }), { type: 'next' }],
    [
      'waits until what is in use fits, with the number',
      progressOf([grown], { kind: 'Rollback' }, 120),
      { type: 'underway', reason: expect.stringContaining('uses 120 MiB') },
    ],
    [
      'is done when every pod has the value before',
      progressOf([small, otherSmall], { kind: 'Rollback' }),
      { type: 'settled' },
    ],
  ])('%s', (_, progress, expected) => {
    expect(progress).toMatchObject(expected);
  });

  it('takes along a pod that the last of two steps did not reach', () => {
    const steps: ActionRecord[] = [
      { ...action, result: 'Completed' },
      { ...action, before: '160Mi', after: '200Mi' },
    ];
    const back: ActionRecord = { ...action, kind: 'Rollback', undoes: 'Resize', before: '200Mi', after: '128Mi' };
    const pods = [podLimitedTo('pod-uid', '200Mi'), otherGrown];
    const useBytes = new Map(pods.map(({ metadata }) => [metadata.uid, 90 * MIB]));
    const incident = incidentWith({ phase: 'Acting', actions: [...steps, back] });
    const of = (all: readonly Pod[]) =>
      resize.progress(
        viewWith({ incident, resize: { ...NO_RESIZE, pods: all, useBytes } }),
        foundWorkload,
        back,
        T0 + 5000,
      );
    expect(of(pods)).toEqual({ type: 'next' });
    expect(of([small, otherGrown])).toEqual({ type: 'next' });
    expect(of([small, otherSmall])).toEqual({ type: 'settled' });
  });
});
