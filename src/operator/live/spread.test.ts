import { describe, expect, it } from 'vitest';
import type { Desired, LiveState } from '../../api/index.ts';
import { type Pod, pods } from '../../kube/index.ts';
import { policyWith } from '../incidents/testing.ts';
import { ofLivingPolicies, spread } from './spread.ts';

const wish = { policy: 'policy-uid', GOGC: { from: '10', to: '100' } };
const owner: Desired = { robot: wish };
const text = JSON.stringify(owner);

function podWith(name: string, annotation?: string, ready = true): Pod {
  return pods.parse({
    metadata: {
      name,
      namespace: 'robots',
      uid: name,
      resourceVersion: '1',
      annotations: annotation === undefined ? {} : { 'robotgc.dev/desired': annotation },
    },
    spec: {},
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  });
}

function policyKnowing(states: Record<string, LiveState['state']>, actions: object = {}) {
  const policy = policyWith(actions);
  policy.status.containers = Object.entries(states).map(([pod, state]) => ({
    pod,
    container: 'robot',
    node: 'node-1',
    state: 'Watching',
    live: { state, gogc: 100, at: '2026-01-01T00:00:00.000Z' },
  }));
  return policy;
}

const told = (input: Partial<Parameters<typeof spread>[0]>) =>
  spread({ owner, pods: [], policies: [policyWith()], observeOnly: false, ...input }).map(
    ({ pod, text: annotation }) => [pod.metadata.name, annotation] as const,
  );

describe('what the pods of a workload are told', () => {
  const four = ['a', 'b', 'c', 'd'].map((name) => podWith(name));

  it('is what their owner desires, a share of them at a time', () => {
    expect(told({ pods: four })).toEqual([['a', text]]);
    const half = policyWith({ blastRadius: '50%' });
    expect(told({ pods: four, policies: [half] }).map(([name]) => name)).toEqual(['a', 'b']);
  });

  it('goes on with the next ones once the first have answered', () => {
    const [, ...others] = four;
    const begun = [podWith('a', text), ...others];
    expect(told({ pods: begun })).toEqual([]);
    expect(told({ pods: begun, policies: [policyKnowing({ a: 'Pending' })] })).toEqual([]);
    expect(told({ pods: begun, policies: [policyKnowing({ a: 'Applied' })] })).toEqual([['b', text]]);
  });

  it('reaches a pod that came later, and corrects one that says something else', () => {
    const states = { a: 'Applied', b: 'Applied' } as const;
    const all = [podWith('a', text), podWith('b', '{"robot":{}}')];
    expect(told({ pods: all, policies: [policyKnowing(states)] })).toEqual([['b', text]]);
  });

  it('is withdrawn from all of them at once, also while the kill switch is on', () => {
    const all = [podWith('a', text), podWith('b', text)];
    expect(told({ owner: {}, pods: all, observeOnly: true })).toEqual([
      ['a', null],
      ['b', null],
    ]);
  });

  it('is nothing new while the kill switch is on or the mode is not Auto', () => {
    expect(told({ pods: four, observeOnly: true })).toEqual([]);
    expect(told({ pods: four, policies: [policyWith({ mode: 'Recommend' })] })).toEqual([]);
  });

  it('is not told, or withdrawn, where a program would follow it with less memory than it was worked out for', () => {
    const roomy = { robot: { ...wish, GOGC: { ...wish.GOGC, underBytes: 180 * 2 ** 20 } } };
    const sized = (name: string, memory: string, annotation?: string) => {
      const pod = podWith(name, annotation);
      const [robot] = pods.parse({
        metadata: { name, uid: name, resourceVersion: '1' },
        spec: { containers: [{ name: 'robot', resources: { limits: { memory } } }] },
        status: {},
      }).spec.containers;
      return { ...pod, spec: { ...pod.spec, containers: robot ? [robot] : [] } };
    };
    const all = [sized('small', '144Mi'), sized('shrunk', '144Mi', JSON.stringify(roomy)), sized('large', '180Mi')];
    const by = (liveBy: string) =>
      told({ owner: roomy, pods: all, policies: [policyWith({ liveBy, blastRadius: '100%' })] });
    expect(by('Program')).toEqual([
      ['shrunk', null],
      ['large', JSON.stringify(roomy)],
    ]);
    expect(by('Agent').map(([name]) => name)).toEqual(['small', 'large']);
  });

  it('goes with its policy where programs follow it, unless that said to keep it', () => {
    const gone = (onDelete: 'Revert' | 'Keep') =>
      told({
        owner: {},
        pods: [podWith('a', JSON.stringify({ robot: { policy: wish.policy, onDelete, GOGC: wish.GOGC } }))],
        policies: [],
      });
    expect(gone('Revert')).toEqual([['a', null]]);
    expect(gone('Keep')).toEqual([]);
  });

  it('says at once on all pods what becomes of it when that is changed in the policy, also where nothing else may be changed', () => {
    const saying = (onDelete?: 'Revert' | 'Keep') =>
      JSON.stringify({ robot: { policy: wish.policy, ...(onDelete ? { onDelete } : {}), GOGC: wish.GOGC } });
    const all = (annotation: string) => [podWith('a', annotation), podWith('b', annotation)];
    const keeping = (actions: object = {}) => policyWith({ liveBy: 'Program', onDelete: 'Keep', ...actions });
    const kept = [
      ['a', saying('Keep')],
      ['b', saying('Keep')],
    ];
    const policies = [keeping()];
    expect(told({ owner: ofLivingPolicies(owner, policies), pods: all(saying('Revert')), policies })).toEqual(kept);
    const observing = [keeping({ mode: 'Observe' })];
    expect(told({ pods: all(saying()), policies: observing, observeOnly: true })).toEqual(kept);
    expect(told({ owner: ofLivingPolicies(owner, policies), pods: all(saying('Keep')), policies })).toEqual([]);
    expect(ofLivingPolicies(owner, policies)).toEqual({ robot: { ...wish, onDelete: 'Keep' } });
    // Agents know their policy.
    expect(told({ pods: all(saying('Keep')) })).toEqual([
      ['a', saying()],
      ['b', saying()],
    ]);
  });

  it('stays where it may be in the name of a policy that this version does not understand', () => {
    expect(ofLivingPolicies(owner, [], true)).toEqual(owner);
    expect(told({ pods: [podWith('a', text), podWith('b')], policies: [] })).toEqual([]);
  });

  it('is left to the agents where the policy is gone: they know whether it said to keep it', () => {
    expect(told({ owner: {}, pods: [podWith('a', text)], policies: [] })).toEqual([]);
    expect(ofLivingPolicies(owner, [])).toEqual({});
    expect(ofLivingPolicies(owner, [policyWith()])).toEqual(owner);
  });
});
