/**
 * Rules between the fields of a policy. Each stands here once, in the API server's language and in ours, so that a cluster, `robotgc lint`
 * and an agent with a policy from a file refuse the same policies in the same words. A test holds both forms against each other.
 */
import type { PolicySpec } from './policy.ts';
import { durationMs, quantityBytes } from './units.ts';

export type Path = readonly (string | number)[];

export interface Rule {
  /** Where in `spec` the API server evaluates `cel`; `[]` stands for the items of a list. */
  readonly at: Path;
  readonly cel: string;
  /** What is wrong, and what to write instead. */
  readonly message: string;
  /** Paths in `spec` at which the rule is broken. */
  readonly broken: (spec: PolicySpec) => readonly Path[];
}

/** Longer would load the program it looks into. */
const MAX_CAPTURE_MS = 60_000;
const MIN_CAPTURE_MS = 1000;
/** Fewer one-second windows than this tell nothing about a remedy. */
const MIN_VERIFY_MS = 10_000;

const when = (isBroken: boolean, ...path: Path): readonly Path[] => (isBroken ? [path] : []);
const isEmpty = (value: object | undefined) => value === undefined || Object.keys(value).length === 0;
const givenKeys = (object: object) => Object.values(object).filter((value) => value !== undefined).length;
const hasTwice = (items: readonly string[]) => new Set(items).size < items.length;
const isNothing = (text: string) => /[0-9]/.test(text) && !/[1-9]/.test(text);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

const NO_DUPLICATES = 'self.all(x, self.exists_one(y, x == y))';
const MORE_THAN_NOTHING = "!self.matches('[0-9]') || self.matches('[1-9]')";
/** CEL's `duration` knows no days, and fails on what is none: the form itself is another rule's business. */
const IS_DURATION = "self.matches('^([0-9]+([.][0-9]+)?(us|ms|s|m|h|d))+$')";
const IS_BELOW_DAYS = (field: string) => `self.${field}.matches('^([0-9]+([.][0-9]+)?(us|ms|s|m|h))+$')`;
const NOT_ABOVE = (lower: string, upper: string) =>
  `!has(self.${lower}) || !has(self.${upper}) || !${IS_BELOW_DAYS(lower)} || !${IS_BELOW_DAYS(upper)} || duration(self.${lower}) <= duration(self.${upper})`;
/** As the rule in CEL: nobody writes days here. */
const isAbove = (lower = 'd', upper = 'd') =>
  !lower.includes('d') && !upper.includes('d') && durationMs(lower) > durationMs(upper);

export const POLICY_RULES: readonly Rule[] = [
  {
    at: ['selector'],
    cel: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
    message: 'an empty selector would match every pod of the namespace: write matchLabels, such as {app: dispatch}',
    broken: ({ selector }) => when(isEmpty(selector.matchLabels) && isEmpty(selector.matchExpressions), 'selector'),
  },
  {
    at: ['selector', 'matchExpressions', '[]'],
    cel: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
    message: 'In and NotIn need values, Exists and DoesNotExist take none',
    broken: ({ selector }) =>
      (selector.matchExpressions ?? []).flatMap(({ operator, values = [] }, index) =>
        when((operator === 'In' || operator === 'NotIn') !== values.length > 0, 'selector', 'matchExpressions', index),
      ),
  },
  {
    at: ['sla', 'latencyP99'],
    cel: MORE_THAN_NOTHING,
    message: 'a latency of 0 cannot be kept: write the promise, such as 200ms',
    broken: ({ sla }) => when(isNothing(sla.latencyP99), 'sla', 'latencyP99'),
  },
  {
    at: ['sla', 'gcShareOfLatency'],
    cel: MORE_THAN_NOTHING,
    message: '0% leaves GC stalls no time at all: write a share such as 15%',
    broken: ({ sla }) => when(isNothing(sla.gcShareOfLatency), 'sla', 'gcShareOfLatency'),
  },
  {
    at: ['sla', 'throughput'],
    cel: "!self.startsWith('100')",
    message: '100% leaves the collector no CPU: write at most 99%, such as 95%',
    broken: ({ sla }) => when(sla.throughput.startsWith('100'), 'sla', 'throughput'),
  },
  {
    at: ['thresholds', 'breach'],
    cel: 'self.windows <= self.of',
    message:
      'more breaching windows are asked for than are looked at: write windows of at most `of`, such as {windows: 3, of: 5}',
    broken: ({ thresholds: { breach } }) => when(breach.windows > breach.of, 'thresholds', 'breach'),
  },
  {
    at: ['thresholds'],
    cel: NOT_ABOVE('gcStallP99', 'gcStallMax'),
    message: 'the longest stall is never shorter than the P99: write a gcStallMax of at least gcStallP99',
    broken: ({ thresholds: own }) => when(isAbove(own.gcStallP99, own.gcStallMax), 'thresholds'),
  },
  {
    at: ['thresholds'],
    cel: NOT_ABOVE('gcPauseP99', 'gcPauseMax'),
    message: 'the longest pause is never shorter than the P99: write a gcPauseMax of at least gcPauseP99',
    broken: ({ thresholds: own }) => when(isAbove(own.gcPauseP99, own.gcPauseMax), 'thresholds'),
  },
  {
    at: ['thresholds'],
    cel: '!has(self.mmapSlowRate) || !has(self.mmapVerySlowRate) || self.mmapVerySlowRate <= self.mmapSlowRate',
    message: 'very slow mmap calls are slow ones too: write a mmapVerySlowRate of at most mmapSlowRate',
    broken: ({ thresholds: { mmapSlowRate: slow, mmapVerySlowRate: verySlow } }) =>
      when(slow !== undefined && verySlow !== undefined && verySlow > slow, 'thresholds'),
  },
  {
    at: ['activity'],
    cel: '[has(self.podMetric), has(self.tcpConnections), has(self.annotation)].filter(given, given).size() == 1',
    message: 'active robots are counted in one way: write exactly one of podMetric, tcpConnections, annotation',
    broken: ({ activity }) => when(activity !== undefined && givenKeys(activity) !== 1, 'activity'),
  },
  {
    at: [],
    cel: '!has(self.tuning.continuous) || !self.tuning.continuous || has(self.activity)',
    message:
      'continuous tuning follows the active robots: write how they are counted, such as activity: {tcpConnections: {port: 8080}}',
    broken: ({ tuning, activity }) => when(tuning.continuous && activity === undefined),
  },
  {
    at: [],
    cel: "!has(self.tuning.continuous) || !self.tuning.continuous || 'Live' in self.actions.apply",
    message: 'continuous tuning restarts nothing: write Live into actions.apply, or leave tuning.continuous out',
    broken: ({ tuning, actions }) => when(tuning.continuous && !actions.apply.includes('Live')),
  },
  {
    at: ['tuning', 'gogc'],
    cel: 'self.min <= self.max',
    message: 'gogc.min is above gogc.max: write a min of at most the max, such as {min: 25, max: 400}',
    broken: ({ tuning: { gogc } }) => when(gogc.min > gogc.max, 'tuning', 'gogc'),
  },
  {
    at: ['tuning', 'memoryLimit'],
    cel: '!has(self.min) || !has(self.max) || !isQuantity(self.min) || !isQuantity(self.max) || quantity(self.min).compareTo(quantity(self.max)) <= 0',
    message: 'memoryLimit.min is above memoryLimit.max: write a min of at most the max, such as {min: 128Mi, max: 2Gi}',
    broken: ({ tuning: { memoryLimit } }) => {
      const [min, max] = [quantityBytes(memoryLimit.min ?? ''), quantityBytes(memoryLimit.max ?? '')];
      return when(min !== undefined && max !== undefined && min > max, 'tuning', 'memoryLimit');
    },
  },
  {
    at: ['tuning', 'memoryLimit', 'goMemLimit'],
    cel: MORE_THAN_NOTHING,
    message: '0% leaves the heap no memory: write a share such as 90%',
    broken: ({ tuning }) => when(isNothing(tuning.memoryLimit.goMemLimit), 'tuning', 'memoryLimit', 'goMemLimit'),
  },
  {
    at: ['actions', 'apply'],
    cel: NO_DUPLICATES,
    message: 'apply is an order of preference: write each of Live, Resize, Rollout, Restart at most once',
    broken: ({ actions }) => when(hasTwice(actions.apply), 'actions', 'apply'),
  },
  {
    at: ['actions', 'runbooks'],
    cel: NO_DUPLICATES,
    message: 'runbooks is an order of preference: write each name at most once',
    broken: ({ actions }) => when(hasTwice(actions.runbooks ?? []), 'actions', 'runbooks'),
  },
  {
    at: ['actions'],
    cel: "!has(self.persist) || !self.persist || (has(self.apply) && 'Resize' in self.apply)",
    message: 'persist is for what was resized in place: write Resize into apply, or leave persist out',
    broken: ({ actions }) => when(actions.persist && !actions.apply.includes('Resize'), 'actions'),
  },
  {
    at: ['actions', 'maintenanceWindows', '[]'],
    cel: 'self.from != self.to',
    message: 'a window that ends as it begins is never open: write another to, or 00:00 to 24:00 for the whole day',
    broken: ({ actions }) =>
      (actions.maintenanceWindows ?? []).flatMap(({ from, to }, index) =>
        when(from === to, 'actions', 'maintenanceWindows', index),
      ),
  },
  {
    at: ['actions', 'maintenanceWindows', '[]', 'days'],
    cel: NO_DUPLICATES,
    message: 'write each day at most once',
    broken: ({ actions }) =>
      (actions.maintenanceWindows ?? []).flatMap(({ days }, index) =>
        when(hasTwice(days), 'actions', 'maintenanceWindows', index, 'days'),
      ),
  },
  {
    at: ['actions', 'maintenanceWindows', '[]', 'timeZone'],
    // The API server's own words name the zone: CEL has no way to ask whether there is one, only to fail where there is none.
    cel: "self != 'Local' && timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0",
    message: 'there is no such time zone: write a name of the IANA database, such as Europe/Berlin or UTC',
    broken: ({ actions }) =>
      (actions.maintenanceWindows ?? []).flatMap(({ timeZone }, index) =>
        when(!isTimeZone(timeZone), 'actions', 'maintenanceWindows', index, 'timeZone'),
      ),
  },
  {
    at: ['actions', 'verify', 'window'],
    cel: `!${IS_DURATION} || self.contains('d') || duration(self) >= duration('10s')`,
    message: 'too short to tell whether a remedy helped: write at least 10s',
    broken: ({ actions }) => when(durationMs(actions.verify.window) < MIN_VERIFY_MS, 'actions', 'verify', 'window'),
  },
  {
    at: ['capture', 'profiles'],
    cel: NO_DUPLICATES,
    message: 'write each profile at most once',
    broken: ({ capture }) => when(hasTwice(capture.profiles), 'capture', 'profiles'),
  },
  {
    at: ['capture', 'duration'],
    cel: `!${IS_DURATION} || (!self.contains('d') && duration(self) >= duration('1s') && duration(self) <= duration('60s'))`,
    message: 'profiling must stay harmless and still see something: write between 1s and 60s',
    broken: ({ capture }) => {
      const ms = durationMs(capture.duration);
      return when(ms < MIN_CAPTURE_MS || ms > MAX_CAPTURE_MS, 'capture', 'duration');
    },
  },
];

export interface Problem {
  /** In `spec`. */
  readonly path: Path;
  readonly message: string;
}

/** @param spec as its schema accepted it, defaults filled */
export function policyProblems(spec: PolicySpec): Problem[] {
  return POLICY_RULES.flatMap(({ broken, message }) => broken(spec).map((path) => ({ path, message })));
}
