/** What the API server accepts and a team will regret. One piece of advice, one small function. Pure. */
import { durationMs, type FurtherSignal, type Path, type PolicySpec, ratio } from '../../api/index.ts';
import { deriveThresholds, FURTHER_CHECKS, quantity } from '../../model/index.ts';

export interface Advice {
  readonly code: string;
  /** In `spec`. */
  readonly path: Path;
  readonly message: string;
}

type Adviser = (spec: PolicySpec) => Advice | undefined;

/** Below this, timer and scheduler delays alone are as long as the budget. */
const SMALL_STALL_BUDGET_NS = 5e6;

const smallStallBudget: Adviser = (spec) => {
  const limitNs = deriveThresholds(spec).gcStallP99Ns;
  if (limitNs >= SMALL_STALL_BUDGET_NS) return undefined;
  const path = spec.thresholds.gcStallP99 === undefined ? ['sla', 'gcShareOfLatency'] : ['thresholds', 'gcStallP99'];
  const message = `the GC stall limit is ${limitNs / 1e6} ms; below 5 ms the scheduler's own delays break it: write a larger share or a longer latency`;
  return { code: 'SmallStallBudget', path, message };
};

const autoWithoutMemoryBounds: Adviser = ({ actions, tuning }) =>
  actions.mode === 'Auto' && tuning.memoryLimit.max === undefined
    ? {
        code: 'AutoWithoutMemoryBounds',
        path: ['tuning', 'memoryLimit'],
        message:
          'mode Auto without tuning.memoryLimit.max: write the largest memory limit you would pay for, such as 2Gi',
      }
    : undefined;

const autoWithoutActivity: Adviser = ({ actions, activity, tuning }) =>
  actions.mode === 'Auto' && activity === undefined
    ? {
        code: 'AutoWithoutActivity',
        path: ['actions', 'mode'],
        message: `mode Auto without activity: the formula always gives its base (${tuning.formula.base}); write where active robots are counted`,
      }
    : undefined;

/** Whoever profiles the program would be a robot, our own captures among them. */
const countsProfilers: Adviser = ({ activity, capture }) =>
  activity?.tcpConnections?.port === capture.pprof.port
    ? {
        code: 'CountsProfilers',
        path: ['activity', 'tcpConnections', 'port'],
        message: `port ${capture.pprof.port} serves pprof: write the port that robots connect to`,
      }
    : undefined;

const onlyLive: Adviser = ({ actions }) =>
  actions.liveBy === 'Program' || actions.apply.some((way) => way !== 'Live')
    ? undefined
    : {
        code: 'OnlyLive',
        path: ['actions', 'apply'],
        message:
          'where agents may not write to processes (agent.live of the chart is off by default) nothing is left to do: add Rollout as the last preference, or leave it if they may',
      };

const followsNothing: Adviser = ({ actions }) =>
  actions.liveBy === 'Program' && !actions.apply.includes('Live')
    ? {
        code: 'FollowsNothing',
        path: ['actions', 'liveBy'],
        message: 'there is nothing for the program to follow: write Live into actions.apply, or leave liveBy out',
      }
    : undefined;

/** Nearly every template names its memory limit, and who applied it owns it. */
const keptNowhere: Adviser = ({ actions }) =>
  actions.persist && actions.fieldConflicts === 'Refuse'
    ? {
        code: 'KeptNowhere',
        path: ['actions', 'persist'],
        message:
          'the memory limit in the template belongs to whoever applied that: write fieldConflicts: TakeOver, or take the limit out of your manifest',
      }
    : undefined;

const resizeWithoutMaximum: Adviser = ({ actions, tuning: { memoryLimit } }) =>
  actions.apply.includes('Resize') && memoryLimit.max === undefined
    ? {
        code: 'ResizeWithoutMaximum',
        path: ['actions', 'apply'],
        message:
          'without a maximum no memory limit is raised: write tuning.memoryLimit.max, such as 1Gi, or leave Resize out',
      }
    : undefined;

const baseOutOfBounds: Adviser = ({ tuning: { formula, gogc } }) =>
  formula.base < gogc.min || formula.base > gogc.max
    ? {
        code: 'BaseOutOfBounds',
        path: ['tuning', 'formula', 'base'],
        message: `base ${formula.base} is outside ${gogc.min} to ${gogc.max}, so it is never set: write a base within gogc.min and gogc.max`,
      }
    : undefined;

const oneWindow: Adviser = ({ thresholds: { breach } }) =>
  breach.windows === 1
    ? {
        code: 'OneWindowIsABreach',
        path: ['thresholds', 'breach', 'windows'],
        message: 'a single slow second is a breach: write at least 2, such as {windows: 3, of: 5}',
      }
    : undefined;

const cooldownTooShort: Adviser = ({ actions: { cooldown, verify } }) =>
  durationMs(cooldown) < durationMs(verify.after) + durationMs(verify.window)
    ? {
        code: 'CooldownTooShort',
        path: ['actions', 'cooldown'],
        message: `a cool-down of ${cooldown} ends before verification does: write at least verify.after + verify.window`,
      }
    : undefined;

const noRollback: Adviser = ({ actions: { mode, verify } }) =>
  mode === 'Auto' && !verify.rollback
    ? {
        code: 'NoRollback',
        path: ['actions', 'verify', 'rollback'],
        message: 'a remedy that does not help stays in place: write rollback: true',
      }
    : undefined;

const fullAboveSome: Adviser = ({ thresholds }) =>
  ratio(thresholds.memoryPressureFull) > ratio(thresholds.memoryPressureSome)
    ? {
        code: 'FullAboveSome',
        path: ['thresholds', 'memoryPressureFull'],
        message:
          'full pressure is always part of some pressure, so this limit is never the first to break: write a share below memoryPressureSome',
      }
    : undefined;

/** With the limits of further signals: what is broken all the time, and what never can be. */
const furtherLimits: readonly Adviser[] = FURTHER_CHECKS.map(({ signal, unit }) => (spec) => {
  const limit = deriveThresholds(spec).further[signal];
  const path = ['thresholds', signal];
  if (unit === 'ratio' && limit !== undefined && limit >= 1) {
    const message = `${signal} is a share of a whole and never above 100%: write the share from which it hurts, such as 50%, or leave it out`;
    return { code: 'NeverBroken', path, message };
  }
  if (limit === 0 && BROKEN_BY_EVERY_CYCLE.has(signal)) {
    const message = `a ${signal} of ${spec.thresholds[signal]} is broken by every program that collects garbage: write what the robots can bear, or leave it out`;
    return { code: 'AlwaysBroken', path, message };
  }
  return undefined;
});

const BROKEN_BY_EVERY_CYCLE: ReadonlySet<FurtherSignal> = new Set<FurtherSignal>([
  'gcPauseP99',
  'gcPauseMax',
  'gcStallMax',
  'stoppingP99',
  'gcRate',
  'cycleMax',
  'markMax',
  'heapLive',
  'heapGoal',
  'liveHeapShareOfLimit',
  'allocationRate',
  'memoryShareOfLimit',
]);

/** The derived P99 is no field of the policy, so no rule of the API server can compare them. */
const stallMaxBelowP99: Adviser = (spec) => {
  const { further, gcStallP99Ns } = deriveThresholds(spec);
  if (further.gcStallMax === undefined || further.gcStallMax >= gcStallP99Ns) return undefined;
  return {
    code: 'StallMaxBelowP99',
    path: ['thresholds', 'gcStallMax'],
    message: `the longest stall is never shorter than the P99, whose limit is ${quantity(gcStallP99Ns, 'ns')}: write a gcStallMax of at least that, or a smaller share of the latency`,
  };
};

const ADVISERS = [
  smallStallBudget,
  autoWithoutMemoryBounds,
  autoWithoutActivity,
  countsProfilers,
  onlyLive,
  followsNothing,
  keptNowhere,
  resizeWithoutMaximum,
  baseOutOfBounds,
  oneWindow,
  cooldownTooShort,
  noRollback,
  fullAboveSome,
  stallMaxBelowP99,
  ...furtherLimits,
];

export function advise(spec: PolicySpec): Advice[] {
  return ADVISERS.flatMap((adviser) => adviser(spec) ?? []);
}
