import { describe, expect, it } from 'vitest';
import type { Approval, Plan } from '../api/index.ts';
import { syntheticSpec } from '../model/testing.ts';
import { offerUntil, whyNotApproved, whyNotStanding } from './approval.ts';

const spec = syntheticSpec({ actions: { approval: { offer: '1h', valid: '10m' } } });
const approvedAt = Date.parse('2026-01-01T12:00:00Z');
const approval: Approval = {
  by: 'jane',
  at: '2026-01-01T12:00:00Z',
  change: { kind: 'Rollout', knob: 'GOGC', from: null, to: '200' },
};
const offer = { until: '2026-01-01T12:30:00Z' };
const plan: Plan = { kind: 'Rollout', knob: 'GOGC', from: null, to: '200', reason: 'r' };

describe('an approval', () => {
  it('stands for as long as the policy says', () => {
    expect(whyNotStanding(approval, offer, spec, approvedAt + 600_000)).toBeUndefined();
    expect(whyNotStanding(approval, offer, spec, approvedAt + 601_000)).toBe(
      'The approval of jane is 601 s old and stood for 10m.',
    );
  });

  it('counts for nothing when the offer had ended, or when it is dated in the future', () => {
    const late = { until: '2026-01-01T11:59:59Z' };
    expect(whyNotStanding(approval, late, spec, approvedAt)).toContain('the offer ended at 2026-01-01T11:59:59Z');
    expect(whyNotStanding(approval, offer, spec, approvedAt - 59_000)).toBeUndefined();
    expect(whyNotStanding(approval, offer, spec, approvedAt - 61_000)).toContain('61 s in the future');
  });

  it.each<[Partial<Plan>, string | undefined]>([
    [{}, undefined],
    [{ to: '400' }, 'The plan made now is GOGC unset → 400 by Rollout; jane approved GOGC unset → 200 by Rollout.'],
    [{ from: '100' }, 'GOGC 100 → 200 by Rollout'],
    [{ kind: 'Live' }, 'by Live; jane approved'],
    [{ kind: 'None', reason: 'nothing helps.' }, 'The plan made now is to do nothing: nothing helps.'],
  ])('is of one change alone: %j', (over, why) => {
    const doubt = whyNotApproved(approval, { ...plan, ...over });
    if (why === undefined) expect(doubt).toBeUndefined();
    else expect(doubt).toContain(why);
  });

  it('may be given until the offer ends', () => {
    expect(offerUntil(spec, approvedAt)).toBe('2026-01-01T13:00:00.000Z');
  });
});
