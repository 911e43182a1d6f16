import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BAD_POLICIES, FULL_SPEC, GOOD_SPECS } from '../../api/policy-cases.ts';
import { syntheticSpec } from '../../model/testing.ts';
import { advise } from './advice.ts';
import { lintText } from './findings.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const document = (spec: unknown) =>
  JSON.stringify({ apiVersion: 'robotgc.dev/v1alpha1', kind: 'RobotGCPolicy', metadata: { name: 'p' }, spec }, null, 2);
const brief = (text: string) =>
  lintText('f', text).findings.map(({ line, column, path, code }) => [line, column, path, code]);

describe('lint', () => {
  it('finds each fault at its line, documents of other kinds passed over', () => {
    expect(brief(read('../testdata/bad-policy.yaml'))).toEqual([
      [13, 5, 'spec.sla.latencyP99', 'Refused'],
      [16, 3, 'spec.tunning', 'Refused'],
      [24, 3, 'spec.sla.gcShareOfLatency', 'SmallStallBudget'],
      [22, 1, 'spec.tuning.memoryLimit', 'AutoWithoutMemoryBounds'],
      [27, 5, 'spec.actions.mode', 'AutoWithoutActivity'],
      [38, 5, 'spec.tuning.gogc', 'Refused'],
      [40, 5, 'spec.actions.apply', 'Refused'],
    ]);
  });

  it.each(BAD_POLICIES)('refuses $what', ({ spec, words }) => {
    const { findings } = lintText('f', document(spec));
    expect(findings.some(({ severity }) => severity === 'error')).toBe(true);
    if (words !== undefined) expect(findings.map(({ message }) => message).join()).toContain(words);
  });

  it.each(Object.entries(GOOD_SPECS))('finds no error in %s', (_, spec) => {
    expect(lintText('f', document(spec)).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each<[string, string, unknown[][]]>([
    ['an empty file', '', [[1, 1, '', 'NoPolicy']]],
    ['another kind alone', 'kind: Pod\n', [[1, 1, '', 'NoPolicy']]],
    ['broken YAML', 'kind: RobotGCPolicy\nspec: [1\n', [[3, 1, '', 'Yaml']]],
    ['a key twice', 'kind: RobotGCPolicy\nkind: RobotGCPolicy\n', [[2, 1, '', 'Yaml']]],
    ['an alias without anchor', 'kind: RobotGCPolicy\nspec: *a\n', [[1, 1, '', 'Yaml']]],
  ])('%s', (_, text, findings) => expect(brief(text)).toEqual(findings));

  it('answers for any text, with positions inside it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue().map(document)), (text) => {
        for (const { line, column } of lintText('f', text).findings) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split('\n').length + 1);
          expect(column).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('where robots are counted', () => {
  const policy = (activity: string): string => `kind: RobotGCPolicy
apiVersion: robotgc.dev/v1alpha1
metadata: {name: dispatch}
spec:
  selector: {matchLabels: {app: dispatch}}
  sla: {latencyP99: 200ms}
  activity: ${activity}
`;

  it.each([
    '{podMetric: {port: 9090, path: /metrics, name: robot_active_sessions}}',
    '{podMetric: {port: 9090, name: robot_active_sessions, labels: {state: active}}}',
    '{tcpConnections: {port: 8080}}',
    '{annotation: example.com/active-robots}',
  ])('%s is fine', (activity) => expect(brief(policy(activity))).toEqual([]));

  it.each([
    ['{}', 'spec.activity', 'write exactly one of podMetric, tcpConnections, annotation'],
    ['{annotation: a, tcpConnections: {port: 1}}', 'spec.activity', 'write exactly one of'],
    ['{tcpConnections: 8080}', 'spec.activity.tcpConnections', 'write fields below this one'],
    ['{annotation: {key: a}}', 'spec.activity.annotation', 'write text'],
    ['{annotation: /robots}', 'spec.activity.annotation', 'such as example.com/active-robots'],
    ['{connections: {port: 1}}', 'spec.activity.connections', 'there is no field connections here'],
  ])('%s is refused at %s', (activity, path, words) => {
    const [first] = lintText('f', policy(activity)).findings;
    expect(first).toMatchObject({ line: 7, severity: 'error', path, message: expect.stringContaining(words) });
  });
});

describe('advice', () => {
  it.each<[string, Record<string, unknown>]>([
    ['SmallStallBudget', { sla: { latencyP99: '30ms' } }],
    ['SmallStallBudget', { thresholds: { gcStallP99: '4ms' } }],
    ['AutoWithoutMemoryBounds', { actions: { mode: 'Auto' }, activity: { annotation: 'a' } }],
    ['AutoWithoutActivity', { actions: { mode: 'Auto' }, tuning: { memoryLimit: { max: '1Gi' } } }],
    ['CountsProfilers', { activity: { tcpConnections: { port: 6060 } } }],
    ['OnlyLive', { actions: { apply: ['Live'] } }],
    ['FollowsNothing', { actions: { liveBy: 'Program' } }],
    ['KeptNowhere', { actions: { apply: ['Resize'], persist: true }, tuning: { memoryLimit: { max: '1Gi' } } }],
    ['ResizeWithoutMaximum', { actions: { apply: ['Resize', 'Rollout'] } }],
    ['BaseOutOfBounds', { tuning: { formula: { base: 20 } } }],
    ['OneWindowIsABreach', { thresholds: { breach: { windows: 1 } } }],
    ['CooldownTooShort', { actions: { cooldown: '1m' } }],
    [
      'NoRollback',
      {
        actions: { mode: 'Auto', verify: { rollback: false } },
        activity: { annotation: 'a' },
        tuning: { memoryLimit: { max: '1Gi' } },
      },
    ],
    ['FullAboveSome', { thresholds: { memoryPressureFull: '20%' } }],
    ['StallMaxBelowP99', { thresholds: { gcStallMax: '20ms' } }],
    ['NeverBroken', { thresholds: { throttledShare: '100%' } }],
    ['AlwaysBroken', { thresholds: { gcRate: 0 } }],
    ['AlwaysBroken', { thresholds: { gcPauseMax: '0ms' } }],
  ])('%s for %j, and nothing else', (code, over) => {
    expect(advise(syntheticSpec(over)).map((advice) => advice.code)).toEqual([code]);
  });

  it('has nothing to say about a policy that recommends only', () => expect(advise(syntheticSpec())).toEqual([]));

  it('has nothing to say about a program that follows its file', () =>
    expect(advise(syntheticSpec({ actions: { apply: ['Live'], liveBy: 'Program' } }))).toEqual([]));

  it('has nothing to say about limits that only accidents break', () =>
    expect(advise(syntheticSpec({ thresholds: { oomKills: 0, mmapVerySlowRate: 0, allocationFailures: 0 } }))).toEqual(
      [],
    ));

  it('has nothing to say about a full one', () => expect(advise(syntheticSpec(FULL_SPEC))).toEqual([]));
});
