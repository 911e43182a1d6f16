/** The sum of a metric's samples, in the Prometheus text format or OpenMetrics. */
export type MetricSum =
  | { readonly kind: 'ok'; readonly value: number; readonly samples: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed'; readonly line: string };

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/**
 * Sums the samples called `name` that carry all of `labels`. NaN samples (a metric without a value yet) are left out.
 * Lines of other metrics are not looked into; a line of this metric that cannot be read makes the result `malformed`,
 * because a sum that silently lacks a part would steer the tuning.
 */
export function sumMetric(text: string, name: string, labels: Readonly<Record<string, string>> = {}): MetricSum {
  let value = 0;
  let samples = 0;
  for (const line of text.split('\n')) {
    if (!mayBe(line, name)) continue;
    const sample = parseSample(line.trim());
    if (sample === undefined) return { kind: 'malformed', line: line.slice(0, 200) };
    if (sample.name !== name || Number.isNaN(sample.value)) continue;
    if (!Object.entries(labels).every(([label, wanted]) => sample.labels.get(label) === wanted)) continue;
    value += sample.value;
    samples++;
  }
  return samples === 0 ? { kind: 'missing' } : { kind: 'ok', value, samples };
}

/** `name `, `name{`, or the quoted form `{"name", …}` of the UTF-8 formats. */
function mayBe(line: string, name: string): boolean {
  if (line.startsWith(`{"${escaped(name)}"`)) return true;
  const after = line.charAt(name.length);
  return line.startsWith(name) && (after === ' ' || after === '\t' || after === '{' || after === '');
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
  const value = parseValue(/^\S+/.exec(rest)?.[0] ?? '');
  return name === '' || value === undefined ? undefined : { name, labels, value };
}

interface Braces {
  readonly name?: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly rest: string;
}

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
const entryPattern = new RegExp(
  `\\s*(?:([a-zA-Z_][a-zA-Z0-9_.]*)|${quoted})\\s*(?:=\\s*${quoted})?\\s*(,|(?=\\}))`,
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
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
