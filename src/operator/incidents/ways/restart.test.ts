import { describe, expect, it } from 'vitest';
import type { ActionRecord } from '../../../api/index.ts';
import { type Pod, pods } from '../../../kube/index.ts';
import { decide } from '../phases/index.ts';
import { foundWorkload, incidentWith, iso, policyWith, summary, T0, viewWith } from '../testing.ts';
import { restart } from './restart.ts';

const action: ActionRecord = {
  ...{ kind: 'Restart', owner: foundWorkload.owner, container: 'robot', knob: 'Pod' },
  ...{ before: 'dispatch-abc', after: 'made anew', at: iso(0), result: 'Applied' },
};

/** @param uid `pod-uid` is that of the pod in breach */
function podWith(uid: string, deletionTimestamp?: string): Pod {
  return pods.parse({
    metadata: { name: 'dispatch-abc', namespace: 'robots', uid, resourceVersion: '1', deletionTimestamp },
    spec: {},
    status: { phase: 'Running' },
  });
}
const [old, ending, fresh] = [podWith('pod-uid'), podWith('pod-uid', iso(1)), podWith('new-uid')];
const rolling = { rollout: { state: 'progressing', sentence: '0 of 1 new pods are available' } } as const;

function progressOf(all: readonly Pod[], over: Partial<ActionRecord> = {}, workload = {}, afterMs = 5000) {
  const found = { ...foundWorkload, pods: all, ...workload };
  return restart.progress(viewWith({ policy: policyWith() }), found, { ...action, ...over }, T0 + afterMs);
}

describe('a pod that is made anew', () => {
  it.each<[string, ReturnType<typeof progressOf>, object]>([
    ['is not yet evicted', progressOf([old], { result: 'Pending' }), { type: 'before' }],
    ['is evicted, and the cache does not show it', progressOf([old]), { type: 'underway' }],
    ['ends within its grace period', progressOf([ending]), { type: 'underway', reason: 'pod dispatch-abc is ending' }],
    ['has gone, and the new one is not ready', progressOf([fresh], {}, rolling), { type: 'underway' }],
    ['is there again', progressOf([fresh]), { type: 'settled' }],
    ['is its controller’s matter after ten minutes', progressOf([], {}, rolling, 11 * 60_000), { type: 'settled' }],
    ['was never ended', progressOf([old], {}, {}, 3 * 60_000), { type: 'refused' }],
    ['cannot go back to the one before', progressOf([fresh], { kind: 'Rollback' }), { type: 'settled' }],
  ])('%s', (_, progress, expected) => {
    expect(progress).toMatchObject(expected);
  });

  it('carries nothing by which the old one could be judged', () => {
    expect(restart.carries(fresh, action, policyWith())).toBe(false);
  });
});

describe('an incident of a leak', () => {
  const diagnosis = { cause: 'Leak', summary: 'It leaks.', confidence: 0.9, evidence: [] };
  const acting = (record: Partial<ActionRecord>, all: readonly Pod[]) =>
    decide(
      viewWith({
        incident: incidentWith({
          ...{ phase: 'Acting', cause: 'Leak', diagnosis, verification: { before: summary } },
          actions: [{ ...action, ...record }],
        }),
        policy: policyWith({ apply: ['Restart'] }),
        workload: { ...foundWorkload, pods: all },
      }),
      T0 + 5000,
    );

  it('evicts, again after a crash, and never another pod of that name', () => {
    expect(acting({ result: 'Pending' }, [old])).toEqual({ type: 'effect', effect: 'apply' });
    expect(acting({ result: 'Pending' }, [ending])).toEqual({ type: 'effect', effect: 'apply' });
    expect(acting({}, [ending])).toMatchObject({ type: 'wait' });
  });

  it('is for people once the new pod is there: the leak is still in the program', () => {
    expect(acting({}, [fresh])).toMatchObject({
      type: 'advance',
      status: {
        phase: 'Escalated',
        actions: [{ kind: 'Restart', result: 'Completed' }],
        message:
          'Pod dispatch-abc of Deployment dispatch was made anew, which buys time; Leak is left for people. It leaks.',
      },
    });
  });
});
