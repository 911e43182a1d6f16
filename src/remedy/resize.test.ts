import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ResizableContainer, type ResizeWay, requestUnder, whyNotResize } from './resize.ts';

const MIB = 2 ** 20;
const container = (over: Partial<ResizableContainer> = {}): ResizableContainer => ({
  pod: 'dispatch-a',
  node: 'n1',
  limitBytes: 128 * MIB,
  requestBytes: 64 * MIB,
  useBytes: 100 * MIB,
  restarts: false,
  guaranteedOtherwise: false,
  podLevel: false,
  ...over,
});
const way = (over: Partial<ResizeWay> = {}): ResizeWay => ({
  kind: 'Resize',
  namespace: 'robots',
  container: 'robot',
  limit: '128Mi',
  containers: [container()],
  rooms: [],
  caps: [],
  mayRestart: false,
  ...over,
});
const guaranteed = container({ requestBytes: 128 * MIB, guaranteedOtherwise: true });

describe('a resize is possible', () => {
  it.each<[string, ResizeWay, number]>([
    ['upwards', way(), 160],
    [
      'with the request that equals the limit, so that the pod stays Guaranteed',
      way({ containers: [guaranteed] }),
      160,
    ],
    [
      'with a restart where the policy allows it',
      way({ containers: [container({ restarts: true })], mayRestart: true }),
      160,
    ],
    [
      'into a node whose requests it does not touch',
      way({ rooms: [{ name: 'node n1', of: 'requests', freeBytes: 0, node: 'n1' }] }),
      160,
    ],
    ['past the room of another node', way({ caps: [{ name: 'node n2', maxBytes: 1, node: 'n2' }] }), 160],
    ['downwards to what is in use and its head-room', way(), 110],
    [
      'upwards though more is in use than with head-room fits',
      way({ containers: [container({ useBytes: 127 * MIB })] }),
      130,
    ],
  ])('%s', (_, possible, mib) => {
    expect(whyNotResize(possible, mib * MIB)).toBeUndefined();
  });
});

describe('a resize is refused, with the number that decided', () => {
  it.each<[string, ResizeWay, number, string]>([
    ['without pods', way({ containers: [] }), 160, 'No running pod'],
    ['without a limit', way({ containers: [container({ limitBytes: null })] }), 160, 'has no memory limit'],
    [
      'where the pod has a limit of its own',
      way({ containers: [container({ podLevel: true })] }),
      160,
      'spec.resources',
    ],
    ['that would restart', way({ containers: [container({ restarts: true })] }), 160, 'actions.resizeRestarts: Allow'],
    [
      'that would make the pod Guaranteed',
      way({ containers: [container({ guaranteedOtherwise: true, useBytes: 1 })] }),
      64,
      'QoS class of pod dispatch-a would change',
    ],
    ['into what is in use', way(), 109, 'uses 100 MiB, with head-room 110 MiB, more than 109 MiB'],
    [
      'beyond a LimitRange',
      way({ caps: [{ name: 'LimitRange l', maxBytes: 150 * MIB }] }),
      160,
      'LimitRange l allows 150 MiB for a container, 160 MiB would be more',
    ],
    ['below a LimitRange', way({ caps: [{ name: 'LimitRange l', minBytes: 120 * MIB }] }), 115, 'asks for 120 MiB'],
    ['beyond a ratio', way({ caps: [{ name: 'LimitRange l', maxRatio: 2 }] }), 160, '2 × the request of 64 MiB'],
    [
      'beyond the node',
      way({
        containers: [guaranteed, { ...guaranteed, pod: 'b' }],
        rooms: [{ name: 'node n1', of: 'requests', freeBytes: 63 * MIB, node: 'n1' }],
      }),
      160,
      'node n1 has 63 MiB free, the requests of 2 pods would take 64 MiB more',
    ],
    [
      'beyond a quota',
      way({ rooms: [{ name: 'ResourceQuota q (limits.memory)', of: 'limits', freeBytes: 31 * MIB }] }),
      160,
      'ResourceQuota q (limits.memory) has 31 MiB free',
    ],
  ])('%s', (_, refused, mib, sentence) => {
    expect(whyNotResize(refused, mib * MIB)).toContain(sentence);
  });
});

it('the request is never above the limit, and back where it was after the way back', () => {
  const bytes = fc.integer({ min: 1, max: 2 ** 36 });
  fc.assert(
    fc.property(bytes, bytes, bytes, (limit, share, up) => {
      const before = { limitBytes: limit, requestBytes: Math.min(limit, share) };
      const raised = limit + up;
      const request = requestUnder(before, raised) ?? 0;
      expect(request).toBeLessThanOrEqual(raised);
      expect(requestUnder({ limitBytes: raised, requestBytes: request }, limit)).toBe(before.requestBytes);
    }),
  );
});
