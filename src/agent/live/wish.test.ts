import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policy } from '../testing/objects.ts';
import { type WishInput, wishOf } from './wish.ts';

const dispatch = policy('dispatch', {
  actions: { mode: 'Auto', apply: ['Live'] },
  tuning: { gogc: { min: 25, max: 400 } },
});
const desired = (GOGC: { from: string | null; to: string | null; underBytes?: number }, uid = 'policy-dispatch') => ({
  'robotgc.dev/desired': JSON.stringify({ robot: { policy: uid, GOGC } }),
});
const input = (over: Partial<WishInput> = {}): WishInput => ({
  annotations: desired({ from: '10', to: '100' }),
  container: 'robot',
  policies: [dispatch],
  limitBytes: 512 * 2 ** 20,
  onDelete: undefined,
  ...over,
});

describe('what shall be set in a container’s processes', () => {
  it('is what the annotation says, within what the policy allows', () => {
    expect(wishOf(input())).toMatchObject({
      type: 'set',
      change: { gcPercent: 100 },
      from: { gcPercent: 10 },
      mayWrite: true,
    });
  });

  it('goes back to the program’s own when nothing is desired', () => {
    expect(wishOf(input({ annotations: {} }))).toEqual({ type: 'restore' });
    expect(wishOf(input({ container: 'proxy' }))).toEqual({ type: 'restore' });
  });

  it('goes back, with no word to the policies there are, when it is in the name of another', () => {
    // One deleted and made anew under its name: what its pods were told before is not its own.
    const annotations = desired({ from: '10', to: '100' }, 'policy-before');
    expect(wishOf(input({ annotations }))).toEqual({ type: 'restore' });
    expect(wishOf(input({ annotations, onDelete: 'Keep' }))).toEqual({ type: 'restore' });
  });

  it('stays as it is, with nothing more written, while the mode is not Auto', () => {
    const observing = policy('dispatch', { actions: { mode: 'Observe', apply: ['Live'] } });
    expect(wishOf(input({ policies: [observing] }))).toMatchObject({ type: 'set', mayWrite: false });
  });

  it('goes back when the policy is deleted, unless that said to keep it', () => {
    expect(wishOf(input({ policies: [], onDelete: 'Revert' }))).toEqual({ type: 'restore' });
    expect(wishOf(input({ policies: [], onDelete: 'Keep' }))).toEqual({ type: 'keep' });
    expect(wishOf(input({ policies: [], annotations: {}, onDelete: 'Keep' }))).toEqual({ type: 'keep' });
  });

  it.each([
    ['outside of the bounds', { annotations: desired({ from: '10', to: '401' }) }, 'OutOfBounds'],
    ['off, which is no bound at all', { annotations: desired({ from: '10', to: 'off' }) }, 'OutOfBounds'],
    ['no number', { annotations: desired({ from: '10', to: '1e9' }) }, 'Unreadable'],
    ['no setting', { annotations: desired({ from: '10', to: null }) }, 'Unreadable'],
    ['worked out for no memory', { annotations: desired({ from: '10', to: '100', underBytes: 0 }) }, 'Unreadable'],
    ['no JSON', { annotations: { 'robotgc.dev/desired': '…' } }, 'Unreadable'],
    ['not allowed', { policies: [policy('dispatch', { actions: { mode: 'Auto' } })] }, 'NotAllowed'],
  ])('is refused where it is %s', (_, over, reason) => {
    expect(wishOf(input(over))).toMatchObject({ type: 'refuse', reason });
  });

  it('may be beyond the bounds on the way in from where the program was', () => {
    const from = (before: string, to: string) => wishOf(input({ annotations: desired({ from: before, to }) }));
    expect(from('10', '20')).toMatchObject({ type: 'set', change: { gcPercent: 20 }, bounds: { min: 25, max: 400 } });
    expect(from('off', '500')).toMatchObject({ type: 'set' });
    expect(from('20', '10')).toMatchObject({ type: 'refuse', reason: 'OutOfBounds' });
    expect(from('100', '20')).toMatchObject({ type: 'refuse', reason: 'OutOfBounds' });
  });

  it('is refused by a container with less memory than it was worked out for, such as one that came after a resize', () => {
    const annotations = {
      'robotgc.dev/desired': JSON.stringify({
        robot: {
          policy: 'policy-dispatch',
          GOGC: { from: '10', to: '100', underBytes: 180 * 2 ** 20 },
          GOMEMLIMIT: { from: null, to: '162Mi', underBytes: 180 * 2 ** 20 },
        },
      }),
    };
    const under = (mebibytes: number | null) =>
      wishOf(input({ annotations, limitBytes: mebibytes === null ? null : mebibytes * 2 ** 20 }));
    expect(under(144)).toMatchObject({
      type: 'refuse',
      reason: 'LessMemory',
      message: expect.stringMatching(/188743680 bytes, the container has 150994944/),
    });
    for (const enough of [180, 225, null]) expect(under(enough)).toMatchObject({ type: 'set' });
  });

  it('is never a GOGC beyond the bounds, unless on the way in, nor a GOMEMLIMIT above the container’s, whatever the annotation', () => {
    const setting = fc.oneof(fc.constant(null), fc.string(), fc.integer().map(String), fc.constant('off'));
    const memory = fc.oneof(
      setting,
      fc.integer({ min: 0 }).map((n) => `${n}Mi`),
    );
    fc.assert(
      fc.property(setting, setting, memory, (from, to, limit) => {
        const wish = { policy: 'policy-dispatch', GOGC: { from, to }, GOMEMLIMIT: { from: null, to: limit } };
        const found = wishOf(input({ annotations: { 'robotgc.dev/desired': JSON.stringify({ robot: wish }) } }));
        if (found.type !== 'set') return;
        const gogc = found.change.gcPercent ?? Number.NaN;
        const own = from === 'off' ? Number.POSITIVE_INFINITY : Number(from);
        expect((gogc >= 25 || gogc > own) && (gogc <= 400 || gogc < own)).toBe(true);
        expect(found.change.memoryLimitBytes ?? 0).toBeLessThanOrEqual(512 * 2 ** 20);
      }),
    );
  });
});
