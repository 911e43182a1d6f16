/**
 * `RobotGCPolicy`: what a team declares. This schema is the source of `crds/robotgcpolicies.yaml`;
 * values stay in the form in which people write them, `src/model` turns them into numbers.
 */
import { z } from 'zod';
import { RunbookName } from './runbooks.ts';
import { FurtherThresholds } from './signals.ts';
import { TuningState } from './tuning.ts';
import { Bytes, Duration, Growth, Percent } from './units.ts';
import { Way } from './ways.ts';

const METRIC_HINT = 'write the name of a Prometheus metric, such as robot_active_sessions';
const ANNOTATION_HINT = 'write the key of a pod annotation, such as example.com/active-robots';
const PATH_HINT = 'write a path that begins with /, such as /metrics';
const HttpPath = z.string().max(256).regex(/^\//, PATH_HINT).meta({ hint: PATH_HINT });
const Port = z.int().min(1).max(65_535);
const LabelMap = z.record(z.string().max(317), z.string().max(63)).meta({ maxProperties: 64 });

export type Selector = z.output<typeof Selector>;
export const Selector = z.strictObject({
  matchLabels: LabelMap.optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(317),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string().max(63)).max(64).optional(),
      }),
    )
    .max(32)
    .optional(),
});

export const Sla = z.strictObject({
  latencyP99: Duration.describe('End-to-end latency that 99 % of events must stay under.'),
  gcShareOfLatency: Percent.default('15%').describe('Share of latencyP99 that GC stalls may take.'),
  throughput: Percent.default('95%').describe('Share of CPU left to the program; the rest is the GC CPU budget.'),
  availability: Percent.default('99.95%').describe('Availability from which the heap-emergency budget is derived.'),
});

export const Thresholds = z.strictObject({
  gcStallP99: Duration.optional().describe('Overrides latencyP99 × gcShareOfLatency.'),
  gcCpuShare: Percent.optional().describe('Overrides 100 % − throughput.'),
  memoryPressureSome: Percent.default('10%').describe('PSI memory some, share of a window.'),
  memoryPressureFull: Percent.default('1%').describe('PSI memory full, share of a window: the pre-OOM warning.'),
  tlsHandshake: Duration.default('500ms').describe(
    'A slower TLS handshake is evidence that latency is not the collector’s.',
  ),
  connect: Duration.default('3s').describe('The same of TCP connections.'),
  nodeMemoryPressure: Percent.default('10%').describe(
    'PSI memory some of the whole node: above it, pressure far from the own limit is a neighbour’s. No breach.',
  ),
  ...FurtherThresholds.shape,
  breach: z
    .strictObject({
      windows: z
        .int()
        .min(1)
        .max(600)
        .default(3)
        .describe('Breach = at least so many one-second windows over a limit,'),
      of: z.int().min(1).max(600).default(5).describe('among so many latest ones.'),
    })
    .prefault({}),
});

/** Where active robots are counted: exactly one of these, see `POLICY_RULES`. */
export const Activity = z.strictObject({
  podMetric: z
    .strictObject({
      port: Port,
      path: HttpPath.default('/metrics'),
      name: z
        .string()
        .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, METRIC_HINT)
        .max(256)
        .meta({ hint: METRIC_HINT })
        .describe('Name of the samples as exposed; they are summed.'),
      labels: z
        .record(z.string().max(128), z.string().max(256))
        .meta({ maxProperties: 16 })
        .optional()
        .describe('Only samples that carry all of these labels count.'),
    })
    .optional()
    .describe('Sum of the samples of a metric, in the Prometheus text format or OpenMetrics.'),
  tcpConnections: z
    .strictObject({ port: Port.describe('Port on which the program listens.') })
    .optional()
    .describe("Established inbound TCP connections to a port, in the pod's network namespace."),
  annotation: z
    .string()
    .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/, ANNOTATION_HINT)
    .max(317)
    .meta({ hint: ANNOTATION_HINT })
    .optional()
    .describe('Key of the pod annotation that holds the number of active robots.'),
});

export const Tuning = z.strictObject({
  continuous: z
    .boolean()
    .default(false)
    .describe('GOGC follows the active robots by the formula without a breach too, in the running processes (Live).'),
  formula: z
    .strictObject({
      base: z.int().min(5).max(1000).default(50).describe('GOGC at or below the baseline.'),
      baseline: z.int().min(1).max(100_000_000).default(5000).describe('Active robots at which GOGC begins to grow.'),
    })
    .prefault({}),
  gogc: z
    .strictObject({
      min: z.int().min(5).max(2000).default(25),
      max: z.int().min(5).max(2000).default(400),
      maxStep: Growth.default('100%').describe('Largest relative change of GOGC in one action.'),
    })
    .prefault({}),
  memoryLimit: z
    .strictObject({
      min: Bytes.optional(),
      max: Bytes.optional(),
      step: Growth.default('25%'),
      lowerAfter: Duration.default('1h').describe(
        'With tuning.continuous, and Resize in actions.apply: how long it must be calm before a limit that was raised comes down by a step.',
      ),
      goMemLimit: Percent.default('90%').describe('Share of the memory limit that the heap goal may fill.'),
      holdHeap: z
        .boolean()
        .default(false)
        .describe(
          'With tuning.continuous: where the program has no GOMEMLIMIT, it is set live to that share, and follows the memory limit.',
        ),
    })
    .prefault({}),
});

export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

const TIME_HINT = 'write a time of the day such as 02:00';
const ZONE_HINT = 'write a time zone of IANA, such as Europe/Berlin or UTC';
const TimeOfDay = z
  .string()
  .max(5)
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, TIME_HINT)
  .meta({ hint: TIME_HINT });
/** 24:00 is the end of the day. */
const EndOfTime = z
  .string()
  .max(5)
  .regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/, TIME_HINT)
  .meta({ hint: TIME_HINT });

export const MaintenanceWindow = z.strictObject({
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .max(7)
    .default([...WEEKDAYS])
    .describe('Days on which it begins.'),
  from: TimeOfDay.describe('By the clock on the wall of the time zone.'),
  to: EndOfTime.describe('Not included; before `from` it is on the next day.'),
  timeZone: z
    .string()
    .max(64)
    .regex(/^[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/, ZONE_HINT)
    .meta({ hint: ZONE_HINT })
    .default('UTC')
    .describe('Name in the IANA database.'),
});

export type MaintenanceWindow = z.output<typeof MaintenanceWindow>;

export const Actions = z.strictObject({
  mode: z.enum(['Observe', 'Recommend', 'Auto']).default('Recommend'),
  apply: z
    .array(Way)
    .min(1)
    .max(Way.options.length)
    .default(['Rollout'])
    .describe(
      'By which ways, by preference. Restart sets nothing: a pod that leaks is made anew once its memory is at its end.',
    ),
  runbooks: z
    .array(RunbookName)
    .min(1)
    .max(RunbookName.options.length)
    .optional()
    .describe('Remedies that may be chosen, by preference; absent: all, in the order in which they are listed here.'),
  approval: z
    .strictObject({
      offer: Duration.default('24h').describe('How long a recommendation may be approved.'),
      valid: Duration.default('15m').describe(
        'How long an approval stands: until then its change is made, or it has to be given anew.',
      ),
    })
    .prefault({}),
  fieldConflicts: z
    .enum(['Refuse', 'TakeOver'])
    .default('Refuse')
    .describe('What to do when another field manager owns GOGC: report Conflict, or take the field over.'),
  resizeRestarts: z
    .enum(['Refuse', 'Allow'])
    .default('Refuse')
    .describe('Whether Resize may change containers whose resizePolicy restarts them for a new memory limit.'),
  persist: z
    .boolean()
    .default(false)
    .describe(
      'A memory limit that was raised in place, and verified, is written to the owner’s template too; its pods are rolled, unless the update strategy is OnDelete.',
    ),
  blastRadius: Percent.default('25%').describe(
    'Share of a workload’s pods that may be changed at once, rounded down; at least one pod.',
  ),
  maintenanceWindows: z
    .array(MaintenanceWindow)
    .min(1)
    .max(16)
    .optional()
    .describe('Acting is allowed only while one of them is open; absent: always.'),
  canary: z
    .boolean()
    .default(false)
    .describe('One pod first, the others once it is verified; a rollout can do so of a StatefulSet.'),
  liveBy: z
    .enum(['Agent', 'Program'])
    .default('Agent')
    .describe(
      'Who sets what Live decides: the node’s agent, in the memory of the running process; or the program itself, which follows a file with the pod’s annotation, and nothing is written to its memory.',
    ),
  onDelete: z
    .enum(['Revert', 'Keep'])
    .default('Revert')
    .describe(
      'What becomes of settings of running processes (Live) when the policy is deleted: back to the program’s own, or left.',
    ),
  cooldown: Duration.default('5m'),
  budget: z.strictObject({ actions: z.int().min(1).max(1000).default(6), per: Duration.default('1h') }).prefault({}),
  verify: z
    .strictObject({
      after: Duration.default('60s'),
      window: Duration.default('60s'),
      rollback: z.boolean().default(true),
    })
    .prefault({}),
});

export const PROFILES = ['cpu', 'heap', 'allocs', 'goroutine', 'trace', 'mutex', 'block'] as const;

export const Capture = z.strictObject({
  pprof: z.strictObject({ port: Port.default(6060), path: HttpPath.default('/debug/pprof') }).prefault({}),
  profiles: z
    .array(z.enum(PROFILES))
    .min(1)
    .max(PROFILES.length)
    .default(['cpu', 'heap', 'allocs', 'goroutine', 'trace']),
  duration: Duration.default('10s'),
  retain: z.strictObject({ count: z.int().min(1).max(10_000).default(50), age: Duration.default('30d') }).prefault({}),
});

export const PolicySpec = z.strictObject({
  selector: Selector,
  container: z.string().min(1).max(63).optional().describe('Default: every container that runs a Go binary.'),
  sla: Sla,
  thresholds: Thresholds.prefault({}),
  activity: Activity.optional(),
  tuning: Tuning.prefault({}),
  actions: Actions.prefault({}),
  capture: Capture.prefault({}),
});
export type PolicySpec = z.output<typeof PolicySpec>;

export const Condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
  observedGeneration: z.int().optional(),
});
export type Condition = z.infer<typeof Condition>;

/** Reasons of an agent's refusal that the operator goes by. */
export const LESS_MEMORY = 'LessMemory';
export const NOT_RESTORED = 'NotRestored';

/** What became of the settings that Live shall set in a container's running processes. */
export const LiveState = z
  .object({
    state: z.enum(['Pending', 'Applied', 'Refused', 'Reverted']),
    gogc: z.int().optional().describe('In effect for the next cycle, −1: off; absent where it is not known.'),
    memoryLimitBytes: z.int().optional().describe('GOMEMLIMIT in effect; absent: none, or not known.'),
    reason: z.string().optional(),
    message: z.string().optional(),
    at: z.iso.datetime(),
  })
  .describe('Settings of the running processes, where Live has been asked for; absent otherwise.');
export type LiveState = z.infer<typeof LiveState>;

/** One container of a matched pod, as its node's agent sees it. */
export const ContainerState = z.object({
  pod: z.string(),
  container: z.string(),
  node: z.string(),
  state: z.enum(['Watching', 'Refused', 'Waiting']),
  reason: z.string().optional(),
  message: z.string().optional(),
  goVersion: z.string().optional(),
  pprof: z.string().optional().describe('Which way to pprof worked: podAddress, portForward, networkNamespace.'),
  activity: z
    .object({ reason: z.string(), message: z.string() })
    .optional()
    .describe('Why the number of active robots is not known; absent while it is.'),
  rhythm: z
    .object({
      kind: z.enum(['message', 'stateMachine', 'timer', 'mixed', 'unknown']),
      periodMs: z.number().optional(),
      confidence: z.number(),
    })
    .optional()
    .describe('How the container allocates, looked at now and then; absent until it was.'),
  live: LiveState.optional(),
  staleGoMemLimit: z
    .object({ reason: z.enum(['AboveMemoryLimit', 'BelowMemoryLimit']), message: z.string() })
    .optional()
    .describe('GOMEMLIMIT does not match the memory limit in effect; absent while it does.'),
  slowLeak: z
    .object({ bytesPerHour: z.int(), message: z.string() })
    .optional()
    .describe('The live heap grows over hours at like traffic; absent while it does not.'),
  missing: z
    .array(z.object({ signals: z.array(z.string()), reason: z.string(), message: z.string() }))
    .optional()
    .describe('Signals that are not observed of a container that is watched, and why; absent when all are.'),
});
export type ContainerState = z.infer<typeof ContainerState>;

/** A node whose agent does not understand the policy. */
export const Misunderstanding = z.object({ node: z.string(), message: z.string() });
export type Misunderstanding = z.infer<typeof Misunderstanding>;

export const DerivedThreshold = z.object({
  signal: z.string(),
  limit: z.number(),
  unit: z.string(),
  formula: z.string(),
});
export type DerivedThreshold = z.infer<typeof DerivedThreshold>;

export const PolicyStatus = z.object({
  observedGeneration: z.int().optional(),
  conditions: z.array(Condition).optional(),
  thresholds: z.array(DerivedThreshold).optional(),
  containers: z.array(ContainerState).optional(),
  misunderstoodBy: z
    .array(Misunderstanding)
    .optional()
    .describe('Nodes whose agent does not understand the policy, and why: their pods are not watched for it.'),
  matched: z.int().optional(),
  watched: z.int().optional(),
  refused: z.int().optional(),
  incidents: z.object({ open: z.int(), resolved: z.int(), escalated: z.int(), rolledBack: z.int() }).optional(),
  mttrSeconds: z.number().optional().describe('Mean time from breach to verified remedy, of the resolved incidents.'),
  autoHealRate: z
    .number()
    .optional()
    .describe('Resolved ÷ (resolved + rolled back + escalated): what was healed without people.'),
  lastRecommendation: z.string().optional(),
  tuning: z
    .array(TuningState)
    .optional()
    .describe('Where tuning.continuous is on: of each workload what the formula asks for, and what was done about it.'),
});
export type PolicyStatus = z.infer<typeof PolicyStatus>;
