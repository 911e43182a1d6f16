import { describe, expect, it } from 'vitest';
import { ANNOTATION_APPROVAL, ANNOTATION_APPROVED_BY } from '../../../api/index.ts';
import { calmCgroup } from '../../../model/testing.ts';
import { incidentWith, iso, policyWith, summary, T0, viewWith, windowAt } from '../testing.ts';
import { decide } from './index.ts';

const MIB = 2 ** 20;
const diagnosis = { cause: 'Leak', summary: 'It leaks 225 MiB an hour.', confidence: 0.9, evidence: [] };
const change = { kind: 'Restart', knob: 'Pod', from: 'dispatch-abc', to: 'made anew' };

describe('an approved recommendation against a slow leak', () => {
  it('is carried out though the last minutes alone show no leak: the evidence of hours still stands', () => {
    const incident = incidentWith({
      ...{ phase: 'Observed', cause: 'Leak', diagnosis, verification: { before: summary } },
      plan: { ...change, kind: 'Restart', knob: 'Pod', reason: 'It leaks.' },
      approval: { state: 'Offered', until: iso(3_600_000) },
    });
    const annotations = {
      [ANNOTATION_APPROVED_BY]: 'jane',
      [ANNOTATION_APPROVAL]: JSON.stringify({ at: iso(60_000), change }),
    };
    const before = Array.from({ length: 20 }, (_, at) => ({
      ...windowAt(60_000 + at * 1000, 0.2, 100),
      cgroup: { ...calmCgroup, memoryCurrentBytes: 480 * MIB, workingSetBytes: 480 * MIB },
    }));
    const view = viewWith({
      incident: { ...incident, metadata: { ...incident.metadata, annotations } },
      policy: policyWith({ mode: 'Recommend', apply: ['Restart'] }),
      before,
    });
    expect(decide(view, T0 + 80_000)).toMatchObject({
      type: 'advance',
      status: {
        phase: 'Acting',
        approval: { state: 'Accepted', by: 'jane' },
        actions: [{ kind: 'Restart', knob: 'Pod', before: 'dispatch-abc', result: 'Pending' }],
      },
    });
  });
});
