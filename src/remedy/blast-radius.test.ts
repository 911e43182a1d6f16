import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedAtOnce, nextBatch, type PodProgress } from './blast-radius.ts';

const pod = (uid: string, change: PodProgress['change'] = 'before', ready = true): PodProgress => ({
  uid,
  change,
  ready,
});

describe('the blast radius', () => {
  it.each([
    [1, '25%', 1],
    [3, '25%', 1],
    [8, '25%', 2],
    [100, '29%', 29],
    [10, '0%', 1],
    [10, '100%', 10],
  ])('of %i pods by %s is %i at once', (pods, share, allowed) => {
    expect(allowedAtOnce(pods, share)).toBe(allowed);
  });

  it('begins with the pod in breach', () => {
    expect(nextBatch([pod('a'), pod('b'), pod('c')], '25%', 'b').take).toEqual(['b']);
  });

  it('waits for those underway', () => {
    const pods = [pod('a', 'underway'), pod('b'), pod('c'), pod('d')];
    expect(nextBatch(pods, '25%')).toEqual({ take: [], allowed: 1, disturbed: 1 });
    expect(nextBatch(pods, '50%').take).toEqual(['b']);
  });

  it('changes no healthy pod while others are not ready', () => {
    expect(nextBatch([pod('a', 'settled', false), pod('b'), pod('c')], '25%').take).toEqual([]);
  });

  it('changes a pod in need, which disturbs no further one', () => {
    expect(nextBatch([pod('a'), pod('b', 'before', false), pod('c')], '25%').take).toEqual(['b']);
    expect(nextBatch([pod('a', 'before', false)], '25%').take).toEqual(['a']);
  });

  it('is never exceeded, and every pod has its turn', () => {
    const share = fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`);
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), share, (readiness, blastRadius) => {
        let pods = readiness.map((ready, index) => pod(`p${index}`, 'before', ready));
        for (let round = 0; round <= readiness.length; round++) {
          const { take, allowed, disturbed } = nextBatch(pods, blastRadius);
          const healthyTaken = pods.filter(({ uid, ready }) => ready && take.includes(uid)).length;
          expect(take.length).toBeLessThanOrEqual(allowed);
          if (healthyTaken > 0) expect(disturbed + healthyTaken).toBeLessThanOrEqual(allowed);
          // What was taken becomes ready with its change.
          pods = pods.map((each) => (take.includes(each.uid) ? pod(each.uid, 'settled') : each));
        }
        expect(pods.every(({ change }) => change === 'settled')).toBe(true);
      }),
    );
  });
});
