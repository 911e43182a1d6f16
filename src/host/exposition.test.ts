import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOf, sumMetric } from './exposition.ts';

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
trailing 1 oops
exemplar 1 # {a="1" 2
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
    expect(sumMetric(text, { name, labels })).toEqual({ kind: 'ok', value, samples });
  });

  it.each([
    ['absent', {}],
    ['robot_active_session', {}],
    ['robot_active_sessions', { shard: '7' }],
    ['not_a_number', {}],
  ])('%s %j is missing', (name, labels) => {
    expect(sumMetric(text, { name, labels })).toEqual({ kind: 'missing' });
  });

  it.each(['broken', 'half', 'trailing', 'exemplar'])(
    '%s is malformed: a sum that lacks a part would mislead',
    (name) => {
      expect(sumMetric(text, { name }).kind).toBe('malformed');
    },
  );

  it('reads lines that end as Windows writes them', () => {
    expect(sumMetric('a 1\r\na{} 2\r\n', { name: 'a' })).toEqual({ kind: 'ok', value: 3, samples: 2 });
  });

  it.each([
    ['of newlines', '\n', 'missing'],
    ['of the metric’s name', 'robots', 'missing'],
    ['of lines that only begin like it', 'robots_total 1\n', 'missing'],
    ['of its samples', 'robots 1\n', 'too-many'],
    ['of its samples with labels', 'robots{shard="a",tenant="b"} 1\n', 'too-many'],
    ['of one sample’s labels', 'robots{a="b",c="d"', 'malformed'],
    ['of quoted names', '{"robots"', 'malformed'],
  ])('4 MiB %s cost little time and memory', (_, part, kind) => {
    const large = part.repeat((4 * 2 ** 20) / part.length);
    sumMetric(large, { name: 'robots' });
    const heapBytes = process.memoryUsage().heapUsed;
    const beganUs = process.cpuUsage();
    expect(sumMetric(large, { name: 'robots' }).kind).toBe(kind);
    const { user, system } = process.cpuUsage(beganUs);
    // Measured: at most 60 ms on a busy machine, 3 ms for newlines; splitting these into an array took 9 s.
    expect((user + system) / 1000).toBeLessThan(1500);
    expect(process.memoryUsage().heapUsed - heapBytes).toBeLessThan(64 * 2 ** 20);
  });

  it('adds up what was written, whatever the labels hold', () => {
    const value = fc.integer({ min: -1e9, max: 1e9 });
    const escaped = (label: string): string =>
      label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), value), { minLength: 1 }), (samples) => {
        const exposed = samples.map(([label, v]) => `m{l="${escaped(label)}"} ${v}\n`).join('');
        expect(sumMetric(exposed, { name: 'm' })).toEqual({
          kind: 'ok',
          value: samples.reduce((sum, [, v]) => sum + v, 0),
          samples: samples.length,
        });
        const [first] = samples;
        const same = samples.filter(([label]) => label === first?.[0]);
        expect(sumMetric(exposed, { name: 'm', labels: { l: first?.[0] ?? '' } })).toMatchObject({
          samples: same.length,
        });
      }),
    );
  });
});

/** From the examples of the specification, with a gauge of ours. */
const openMetrics = `# TYPE robots gauge
# UNIT robots sessions
# HELP robots Open "sessions".
robots{shard="0"} 1200 1520879607.789
robots{shard="1"} 8e2
# TYPE taken counter
# HELP taken Messages.
taken_total{a="x # {y=\\"1\\"} 7"} 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879608
taken_total{a="z"} 3 # {} 1.0
taken_created{a="z"} 1520430000.123
# TYPE foo histogram
foo_bucket{le="0.1"} 8 # {} 0.054
foo_bucket{le="+Inf"} 17 # {trace_id="oHg5SJYRHA0"} 9.8 1520879607.789
foo_count 17
foo_sum 324789.3
foo_created 1520430000.123
# TYPE loose_total counter
loose_total 4
# EOF
`;

describe('OpenMetrics', () => {
  it.each([
    ['robots', {}, 2000, 2],
    ['robots', { shard: '1' }, 800, 1],
    ['taken_total', {}, 20, 2],
    ['taken', {}, 20, 2],
    ['taken', { a: 'z' }, 3, 1],
    ['taken_created', {}, 1520430000.123, 1],
    ['foo_bucket', { le: '0.1' }, 8, 1],
    ['foo_count', {}, 17, 1],
    ['loose_total', {}, 4, 1],
  ])('%s %j', (name, labels, value, samples) => {
    expect(sumMetric(openMetrics, { name, labels, format: 'openmetrics' })).toEqual({ kind: 'ok', value, samples });
  });

  it('names a family without samples, and a counter in the older format, as missing', () => {
    expect(sumMetric(openMetrics, { name: 'foo', format: 'openmetrics' })).toEqual({ kind: 'missing' });
    expect(sumMetric(openMetrics, { name: 'taken' })).toEqual({ kind: 'missing' });
  });

  it('is truncated wherever it ends before its last line does', () => {
    const eof = openMetrics.indexOf('# EOF') + '# EOF'.length;
    for (let end = 0; end <= openMetrics.length; end++) {
      const sum = sumMetric(openMetrics.slice(0, end), { name: 'robots', format: 'openmetrics' });
      expect(sum.kind, `the first ${end} characters`).toBe(end < eof ? 'truncated' : 'ok');
    }
    expect(sumMetric(`${openMetrics}robots 1\n`, { name: 'robots', format: 'openmetrics' }).kind).toBe('truncated');
  });

  it('reads what was written, whatever timestamps and exemplars stand beside it', () => {
    const escaped = (label: string): string =>
      label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    const sample = fc.record({
      value: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
      label: fc.string({ unit: 'binary' }),
      time: fc.option(fc.double({ noNaN: true, min: 0, max: 4e9 }), { nil: undefined }),
      exemplar: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1 }), (all) => {
        const lines = all.map(
          ({ value, label, time, exemplar }) =>
            `m_total{l="${escaped(label)}"} ${value}${time === undefined ? '' : ` ${time}`}` +
            `${exemplar === undefined ? '' : ` # {e="${escaped(exemplar)}"} ${value} 1520879607.789`}\n`,
        );
        const exposed = `# TYPE m counter\n${lines.join('')}m_created{l="x"} 1\n# EOF\n`;
        const expected = { kind: 'ok', value: all.reduce((sum, { value }) => sum + value, 0), samples: all.length };
        for (const name of ['m', 'm_total'])
          expect(sumMetric(exposed, { name, format: 'openmetrics' })).toEqual(expected);
      }),
    );
  });

  it.each([
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['Application/OpenMetrics-Text;version=0.0.1', 'openmetrics'],
    ['application/openmetrics-texture', 'text'],
    ['text/plain; version=0.0.4', 'text'],
    ['', 'text'],
    [undefined, 'text'],
  ])('the type %j is %s', (type, format) => expect(formatOf(type)).toBe(format));
});

describe('a hostile answer takes as long as it is, not its square', () => {
  const long = 1_000_000;
  const metric = 'robot_active_sessions';
  it.each([
    ['digits', `${metric} ${'1'.repeat(long)}x`],
    ['dots', `${metric} ${'.'.repeat(long)}x`],
    ['an exponent', `${metric} 1e${'1'.repeat(long)}x`],
    ['blanks behind a label', `${metric}{a${' '.repeat(long)}x`],
    ['blanks behind a label value', `${metric}{a="b"${' '.repeat(long)}x`],
    ['blanks behind a value', `${metric} 1 ${' '.repeat(long)}x`],
    ['a label value without end', `${metric}{a="${'b'.repeat(long)}`],
    ['labels', `${metric}{${'a="b",'.repeat(long / 6)}`],
    ['an exemplar', `${metric} 1 # {a="b"}${' 1'.repeat(long / 2)}`],
  ])('%s', (_what, text) => {
    const began = performance.now();
    expect(sumMetric(text, { name: metric }).kind).toBe('malformed');
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
