import { describe, expect, test } from 'vitest';
import { LABEL_WORKLOAD } from '../../api/index.ts';
import { incident, policy } from '../testing/objects.ts';
import { mayOpen } from './gate.ts';

const candidate = {
  policy: policy('dispatch', { actions: { cooldown: '5m' } }),
  podUid: 'pod-dispatch-1',
  container: 'robot',
  workload: 'deployment.dispatch',
};
const now = new Date('2026-01-01T01:00:00Z');
const ofWorkload = (workload: string, status: object) =>
  incident('one', { metadata: { labels: { [LABEL_WORKLOAD]: workload } }, status });
const ended = (finishedAt: string) => ({ phase: 'Resolved', times: { finishedAt } });

describe('mayOpen', () => {
  test.each([
    { why: 'nothing is known', incidents: [], verdict: 'open' },
    { why: 'one of the workload is new', incidents: [ofWorkload('deployment.dispatch', {})], verdict: 'OpenIncident' },
    {
      why: 'one of the workload is verified',
      incidents: [ofWorkload('deployment.dispatch', { phase: 'Verifying' })],
      verdict: 'OpenIncident',
    },
    {
      why: 'one of another workload is open',
      incidents: [ofWorkload('deployment.other', { phase: 'Acting' })],
      verdict: 'open',
    },
    {
      why: 'one does not say whose it is',
      incidents: [incident('one', { status: { phase: 'Acting' } })],
      verdict: 'OpenIncident',
    },
    {
      why: 'one ended just now',
      incidents: [ofWorkload('deployment.dispatch', ended('2026-01-01T00:56:00Z'))],
      verdict: 'Cooldown',
    },
    {
      why: 'one ended longer ago',
      incidents: [ofWorkload('deployment.dispatch', ended('2026-01-01T00:54:59Z'))],
      verdict: 'open',
    },
    {
      why: 'one of another workload ended just now',
      incidents: [ofWorkload('deployment.other', ended('2026-01-01T00:59:00Z'))],
      verdict: 'open',
    },
    {
      why: 'one ended without saying when: its creation counts',
      incidents: [ofWorkload('deployment.dispatch', { phase: 'Observed' })],
      verdict: 'open',
    },
  ])('$why: $verdict', ({ incidents, verdict }) => {
    const result = mayOpen(candidate, incidents, now);
    expect(result.type === 'open' ? 'open' : result.reason).toBe(verdict);
  });

  test('the very container counts, whatever its labels say', () => {
    const one = incident('one', {
      metadata: { labels: { [LABEL_WORKLOAD]: 'deployment.renamed' } },
      spec: { pod: { name: 'dispatch-1', uid: 'pod-dispatch-1' } },
    });
    expect(mayOpen(candidate, [one], now)).toMatchObject({ type: 'held', reason: 'OpenIncident' });
  });
});
