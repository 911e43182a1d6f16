import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from './check.ts';
import { BAD_POLICIES, FULL_SPEC, GOOD_SPECS, MINIMAL_SPEC } from './policy-cases.ts';
import { durationMs, quantityBytes, ratio } from './units.ts';

const policy = (spec: unknown, name = 'dispatch') => ({
  apiVersion: 'robotgc.dev/v1alpha1',
  kind: 'RobotGCPolicy',
  metadata: { name },
  spec,
});
const dotted = (path: readonly (string | number)[]) =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .slice(1);

describe('a policy without an API server', () => {
  it.each(Object.entries(GOOD_SPECS))('%s is accepted', (_, spec) => {
    expect(checkPolicy(policy(spec))).toMatchObject({ ok: true });
  });

  it.each(BAD_POLICIES)('$what is refused at $path', ({ spec, path, words }) => {
    const checked = checkPolicy(policy(spec));
    const problems = checked.ok ? [] : checked.problems;
    expect(problems.map((problem) => dotted(problem.path))).toContain(path);
    for (const problem of problems) expect(problem.message).toMatch(/write|take none|remove/i);
    if (words !== undefined) expect(problems.map((problem) => problem.message).join()).toContain(words);
  });

  it('gets its defaults filled', () => {
    const checked = checkPolicy(policy(MINIMAL_SPEC));
    expect(checked.ok && checked.policy.spec).toMatchObject({
      thresholds: { memoryPressureFull: '1%', breach: { windows: 3, of: 5 } },
      tuning: { formula: { base: 50, baseline: 5000 }, gogc: { min: 25, max: 400 } },
      actions: { mode: 'Recommend', apply: ['Rollout'], fieldConflicts: 'Refuse' },
      capture: { duration: '10s' },
    });
  });

  it.each(['Dispatch', 'x'.repeat(64), ''])('is refused under the name %j', (name) => {
    expect(checkPolicy(policy(FULL_SPEC, name))).toMatchObject({
      ok: false,
      problems: [{ path: ['metadata', 'name'] }],
    });
  });

  it.each([null, 7, 'text', [], {}, { kind: 'Pod' }])('that is %j is refused without a crash', (document) => {
    expect(checkPolicy(document).ok).toBe(false);
  });

  it('is answered for whatever a file holds', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => typeof checkPolicy(policy(value)).ok === 'boolean'));
  });
});

describe('units', () => {
  it.each([
    ['200ms', 200],
    ['1.5s', 1500],
    ['1m30s', 90_000],
    ['48h', 172_800_000],
    ['30d', 2_592_000_000],
    ['500us', 0.5],
  ])('%s is %d ms', (text, ms) => expect(durationMs(text)).toBeCloseTo(ms, 9));

  it.each([
    ['15%', 0.15],
    ['99.95%', 0.9995],
    ['100%', 1],
    ['300%', 3],
  ])('%s is %d', (text, share) => expect(ratio(text)).toBeCloseTo(share, 12));

  it.each([
    ['128Mi', 134_217_728],
    ['2Gi', 2_147_483_648],
    ['500M', 500_000_000],
    ['0.5k', 500],
    ['1e3', undefined],
    ['', undefined],
  ])('%s is %j bytes', (text, bytes) => expect(quantityBytes(text)).toBe(bytes));
});
