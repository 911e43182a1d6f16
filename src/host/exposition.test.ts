import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumMetric } from './exposition.ts';

const text = `# HELP robot_active_sessions Sessions that are open.
# TYPE robot_active_sessions gauge
robot_active_sessions{shard="0",tenant="a"} 1200
robot_active_sessions{shard="1",tenant="b \\"q\\" \\\\ }, x=1"} 800.5 1700000000000
robot_active_sessions_total 99
robot_active 7
up 1 # {trace_id="abc"} 0.5
not_a_number NaN
huge +Inf
exponent 1.5e3
broken{ 3
half{a="1"} 1
half{a="2"} oops
{"dotted.name",shard="0"} 4
{"dotted.name",shard="1"} 5
# EOF
`;

describe('sum of a metric', () => {
  it.each([
    ['robot_active_sessions', {}, 2000.5, 2],
    ['robot_active_sessions', { shard: '0' }, 1200, 1],
    ['robot_active_sessions', { tenant: 'b "q" \\ }, x=1', shard: '1' }, 800.5, 1],
    ['robot_active', {}, 7, 1],
    ['up', {}, 1, 1],
    ['huge', {}, Number.POSITIVE_INFINITY, 1],
    ['exponent', {}, 1500, 1],
    ['dotted.name', {}, 9, 2],
    ['dotted.name', { shard: '1' }, 5, 1],
  ])('%s %j', (name, labels, value, samples) => {
    expect(sumMetric(text, name, labels)).toEqual({ kind: 'ok', value, samples });
  });

  it.each([
    ['absent', {}],
    ['robot_active_session', {}],
    ['robot_active_sessions', { shard: '7' }],
    ['not_a_number', {}],
  ])('%s %j is missing', (name, labels) => {
    expect(sumMetric(text, name, labels)).toEqual({ kind: 'missing' });
  });

  it.each(['broken', 'half'])('%s is malformed: a sum that lacks a part would mislead', (name) => {
    expect(sumMetric(text, name).kind).toBe('malformed');
  });

  it('reads lines that end as Windows writes them', () => {
    expect(sumMetric('a 1\r\na{} 2\r\n', 'a')).toEqual({ kind: 'ok', value: 3, samples: 2 });
  });

  it('adds up what was written, whatever the labels hold', () => {
    const value = fc.integer({ min: -1e9, max: 1e9 });
    const escaped = (label: string): string =>
      label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), value), { minLength: 1 }), (samples) => {
        const exposed = samples.map(([label, v]) => `m{l="${escaped(label)}"} ${v}\n`).join('');
        expect(sumMetric(exposed, 'm')).toEqual({
          kind: 'ok',
          value: samples.reduce((sum, [, v]) => sum + v, 0),
          samples: samples.length,
        });
        const [first] = samples;
        const same = samples.filter(([label]) => label === first?.[0]);
        expect(sumMetric(exposed, 'm', { l: first?.[0] ?? '' })).toMatchObject({ samples: same.length });
      }),
    );
  });
});
