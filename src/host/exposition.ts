/** The two text formats of metrics that Prometheus reads. */
export type ExpositionFormat = 'text' | 'openmetrics';

/** What is asked for: OpenMetrics first, because its last line tells a whole answer from a cut one. */
export const acceptedFormats = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

/** By the `Content-Type` of the answer; what names no format is the older text, as it has always been. */
export function formatOf(contentType: string | undefined): ExpositionFormat {
  return /^\s*application\/openmetrics-text\s*(;|$)/i.test(contentType ?? '') ? 'openmetrics' : 'text';
}

/** The sum of a metric's samples. `truncated`: OpenMetrics without its `# EOF`. */
export type MetricSum =
  | { readonly kind: 'ok'; readonly value: number; readonly samples: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'too-many'; readonly samples: number }
  | { readonly kind: 'malformed'; readonly line: string };

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface MetricQuery {
  /** As exposed. In OpenMetrics a counter `robots` has the sample `robots_total`: it is found by both names. */
  readonly name: string;
  /** Only samples that carry all of these count. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Default `text`. */
  readonly format?: ExpositionFormat;
}

/**
 * Sums the samples that a query names. NaN samples (a metric without a value yet) are left out, timestamps and exemplars passed over.
 * Lines of other metrics are not looked into; a line of this metric that cannot be read makes the result `malformed`,
 * because a sum that silently lacks a part would steer the tuning.
 *
 * Formats: https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function sumMetric(text: string, query: MetricQuery): MetricSum {
  if (query.format !== 'openmetrics') return sumSamples(text, query.name, query.labels);
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (body !== '# EOF' && !body.endsWith('\n# EOF')) return { kind: 'truncated' };
  const sum = sumSamples(body, query.name, query.labels);
  if (sum.kind !== 'missing' || !hasLine(body, `# TYPE ${query.name} counter`)) return sum;
  return sumSamples(body, `${query.name}_total`, query.labels);
}

/** Longer ones are no samples: labels are names of shards and tenants, not documents. */
const maxLineLength = 64 * 1024;
/** So many take 60 ms, in which the agent does nothing else. */
const maxSamples = 10_000;

function sumSamples(text: string, name: string, labels: MetricQuery['labels'] = {}): MetricSum {
  const wanted = Object.entries(labels);
  let value = 0;
  let samples = 0;
  let read = 0;
  for (const line of linesOf(text, name)) {
    if (++read > maxSamples) return { kind: 'too-many', samples: maxSamples };
    const sample = line.length <= maxLineLength ? parseSample(line.trim()) : undefined;
    if (sample === undefined) return { kind: 'malformed', line: line.slice(0, 200) };
    if (sample.name !== name || Number.isNaN(sample.value)) continue;
    if (!wanted.every(([label, wantedValue]) => sample.labels.get(label) === wantedValue)) continue;
    value += sample.value;
    samples++;
  }
  return samples === 0 ? { kind: 'missing' } : { kind: 'ok', value, samples };
}

/** Those that may be samples of the metric: `name `, `name{`, or the quoted form `{"name", …}` of the UTF-8 formats. */
function* linesOf(text: string, name: string): Generator<string> {
  for (const line of linesFrom(text, name)) if (/^[ \t{\r]?$/.test(line.charAt(name.length))) yield line;
  yield* linesFrom(text, `{"${escaped(name)}"`);
}

/** Looks for the beginning, not for the ends of lines: of a large answer only the lines that matter become strings. */
function* linesFrom(text: string, beginning: string): Generator<string> {
  for (let at = text.indexOf(beginning); at !== -1; at = text.indexOf(beginning, at + 1)) {
    if (at > 0 && text.charAt(at - 1) !== '\n') continue;
    const end = text.indexOf('\n', at);
    yield text.slice(at, end === -1 ? text.length : end);
  }
}

function hasLine(text: string, line: string): boolean {
  return text.startsWith(`${line}\n`) || text.includes(`\n${line}\n`);
}

function escaped(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** `name{label="value",…} value [timestamp] [# exemplar]`. */
function parseSample(line: string): Sample | undefined {
  const bare = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? '';
  let rest = line.slice(bare.length).trimStart();
  let name = bare;
  const labels = new Map<string, string>();
  if (rest.startsWith('{')) {
    const braces = parseBraces(rest);
    if (braces === undefined) return undefined;
    for (const [label, labelValue] of braces.labels) labels.set(label, labelValue);
    if (bare === '') name = braces.name ?? '';
    rest = braces.rest.trimStart();
  }
  const [, written = '', tail = ''] = /^(\S+)(.*)$/s.exec(rest) ?? [];
  const value = parseValue(written);
  return name === '' || value === undefined || !isTail(tail) ? undefined : { name, labels, value };
}

/** What may follow a value: a timestamp (milliseconds in the text format, seconds in OpenMetrics), an exemplar, or both. */
function isTail(tail: string): boolean {
  const exemplar = tail.replace(/^\s+[+-]?\d[^\s#]*/, '').trimStart();
  if (exemplar === '') return true;
  const braces = parseBraces(/^# *(\{.*)$/s.exec(exemplar)?.[1] ?? '');
  return braces !== undefined && /^\s+\S+(\s+\S+)?$/.test(braces.rest);
}

interface Braces {
  readonly name?: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly rest: string;
}

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
const entryPattern = new RegExp(
  `\\s*(?:([a-zA-Z_][a-zA-Z0-9_.]*)|${quoted})(?:\\s*=\\s*${quoted})?\\s*(,|(?=\\}))`,
  'y',
);

function parseBraces(text: string): Braces | undefined {
  const labels = new Map<string, string>();
  let name: string | undefined;
  let at = 1;
  for (;;) {
    const end = /\s*\}/y;
    end.lastIndex = at;
    if (end.test(text)) return { labels, rest: text.slice(end.lastIndex), ...(name === undefined ? {} : { name }) };
    entryPattern.lastIndex = at;
    const match = entryPattern.exec(text);
    if (match === null) return undefined;
    const [, plain, quotedKey, labelValue] = match;
    const key = plain ?? unescapeText(quotedKey ?? '');
    if (labelValue !== undefined) labels.set(key, unescapeText(labelValue));
    else if (quotedKey !== undefined && name === undefined) name = key;
    else return undefined;
    at = entryPattern.lastIndex;
  }
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function parseValue(text: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
