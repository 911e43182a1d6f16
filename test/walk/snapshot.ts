/** Where a namespace is: all that robotgc writes there, apart from times and versions, and from the record of what was done on the way. */
import { type ActionRecord, ANNOTATION_DESIRED } from '../../src/api/index.ts';
import { leases } from '../../src/kube/index.ts';
import { desiredOf } from '../../src/operator/workloads/desired.ts';
import type { Robot } from './robot.ts';
import type { Sight } from './sight.ts';

export interface Snapshot {
  /** A place in it, and what stands there as text. */
  readonly facts: ReadonlyMap<string, string>;
  /** What continuous tuning did, oldest first: it grows. */
  readonly record: readonly string[];
}

/** Differ with each write, or with the time of day. */
const MOVING = new Set(['resourceVersion', 'generation', 'observedGeneration', 'time', 'at', 'lastTransitionTime']);

export function snapshotOf(sight: Sight, { namespace, gogc }: Pick<Robot, 'namespace' | 'gogc'>): Snapshot {
  const facts = new Map<string, string>();
  for (const [what, object] of Object.entries(sight.objects(namespace))) flatten(object, [what], facts);
  const lease = leases.parse(sight.leases.store.get('robots/robotgc-operator'));
  facts.set('lease', lease.spec.holderIdentity);
  facts.set('process', `GOGC=${gogc}`);
  const actions = sight.policy(namespace)?.status.tuning?.flatMap((state) => state.actions ?? []) ?? [];
  return { facts, record: actions.map(lineOf) };
}

/** What is not as it was, each in a line; none: it is where it was. */
export function differences(was: Snapshot, is: Snapshot): string[] {
  const places = new Set([...was.facts.keys(), ...is.facts.keys()]);
  const moved = [...places]
    .filter((place) => was.facts.get(place) !== is.facts.get(place))
    .map((place) => `${place}: ${was.facts.get(place)} → ${is.facts.get(place)}`);
  const isKept = was.record.every((line, index) => is.record[index] === line);
  return isKept ? moved : [...moved, `the record of tuning is another one: ${was.record} → ${is.record}`];
}

function flatten(value: unknown, path: readonly string[], facts: Map<string, string>): void {
  // Played, and no work of the product's.
  if (path.length === 2 && path[1] === 'status' && (path[0] === 'pod' || path[0] === 'workload')) return;
  if (typeof value !== 'object' || value === null) {
    facts.set(path.join('.'), textOf(value, path));
    return;
  }
  if (isRecord(path)) return;
  for (const [name, item] of entriesOf(value)) if (!MOVING.has(name)) flatten(item, [...path, name], facts);
  // An empty one is one too.
  if (Object.keys(value).length === 0) facts.set(path.join('.'), JSON.stringify(value));
}

function textOf(value: unknown, path: readonly string[]): string {
  if (path.at(-1) === ANNOTATION_DESIRED) return wishes(String(value));
  return isSentence(path) ? withoutNumbers(String(value)) : JSON.stringify(value);
}

/** What is wished back to where it was before anything was wished is no wish (decision 24), and what it was worked out for is of no matter. */
function wishes(annotation: string): string {
  const desired = Object.entries(desiredOf({ annotations: { [ANNOTATION_DESIRED]: annotation } }));
  return JSON.stringify(
    desired.map(([container, { GOGC, GOMEMLIMIT, ...wish }]) => ({
      ...{ container, ...wish },
      ...(GOGC && GOGC.from !== GOGC.to ? { GOGC } : {}),
      ...(GOMEMLIMIT && GOMEMLIMIT.from !== GOMEMLIMIT.to ? { GOMEMLIMIT } : {}),
    })),
  );
}

/** Lists of one entry for each name, under that name: their order is the server's. */
function entriesOf(value: object): [string, unknown][] {
  if (!Array.isArray(value)) return Object.entries(value);
  return value.map((item: unknown, index) => [nameOf(item) ?? String(index), item]);
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { manager, operation, subresource, type, signal }: Record<string, unknown> = { ...item };
  if (manager !== undefined) return `${manager}/${operation}/${subresource ?? ''}`;
  return typeof type === 'string' ? type : typeof signal === 'string' ? signal : undefined;
}

/** `policy.status.tuning.0.actions` */
function isRecord(path: readonly string[]): boolean {
  return path[0] === 'policy' && path[2] === 'tuning' && path[4] === 'actions';
}

/** Its numbers are of the second in which it was written. */
function isSentence(path: readonly string[]): boolean {
  return path[0] === 'policy' && path[2] === 'tuning' && path[4] === 'plan';
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/[0-9][0-9T:.Z-]*/g, '#');
}

function lineOf({ kind, knob, before, after, result, at }: ActionRecord): string {
  return `${at} ${kind} ${knob} ${before} → ${after} ${result}`;
}
