/** Policies for tests: what must be accepted, and what must be refused with which words. The API server and `checkPolicy` take the same table. */

export interface BadPolicy {
  readonly what: string;
  readonly spec: Record<string, unknown>;
  /** Where, and words that must be in the refusal; of the schema's own refusals only we choose the words, so `words` may be absent. */
  readonly path: string;
  readonly words?: string;
}

const base = { selector: { matchLabels: { app: 'dispatch' } }, sla: { latencyP99: '200ms' } };
const with_ = (over: Record<string, unknown>) => ({ ...base, ...over });
const sla = (over: Record<string, unknown>) => with_({ sla: { ...base.sla, ...over } });

export const MINIMAL_SPEC = base;

export const FULL_SPEC = {
  selector: {
    matchLabels: { app: 'dispatch' },
    matchExpressions: [{ key: 'tier', operator: 'In', values: ['robots'] }],
  },
  container: 'robot',
  sla: { latencyP99: '200ms', gcShareOfLatency: '15%', throughput: '95%', availability: '99.95%' },
  thresholds: {
    gcStallP99: '25ms',
    gcCpuShare: '4%',
    memoryPressureSome: '10%',
    memoryPressureFull: '1%',
    tlsHandshake: '250ms',
    connect: '1s',
    nodeMemoryPressure: '20%',
    gcPauseP99: '5ms',
    gcPauseMax: '20ms',
    stoppingP99: '2ms',
    gcAssistP99: '10ms',
    cycleMax: '500ms',
    markMax: '400ms',
    gcStallMax: '60ms',
    assistShare: '1%',
    gcRate: 4.5,
    gcLimiter: true,
    heapLive: '512Mi',
    heapGoal: '1Gi',
    liveHeapShareOfLimit: '60%',
    allocationRate: '256Mi',
    mmapSlowRate: 20,
    mmapVerySlowRate: 0,
    allocationFailures: 0,
    reclaimStall: '10ms',
    oomKills: 0,
    memoryShareOfLimit: '90%',
    memoryHighRate: 1,
    memoryMaxRate: 1,
    majorFaultRate: 10,
    refaultRate: 100,
    throttledShare: '25%',
    breach: { windows: 3, of: 5 },
  },
  activity: { podMetric: { port: 9090, path: '/metrics', name: 'robot_active_sessions' } },
  tuning: {
    continuous: true,
    formula: { base: 50, baseline: 5000 },
    gogc: { min: 25, max: 400, maxStep: '100%' },
    memoryLimit: { min: '128Mi', max: '2Gi', step: '25%', goMemLimit: '90%', lowerAfter: '30m' },
  },
  actions: {
    mode: 'Auto',
    apply: ['Live', 'Resize', 'Rollout', 'Restart'],
    approval: { offer: '24h', valid: '15m' },
    fieldConflicts: 'TakeOver',
    persist: true,
    liveBy: 'Program',
    runbooks: ['RaiseMemoryLimit', 'RaiseGogc'],
    blastRadius: '25%',
    maintenanceWindows: [
      { days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'], from: '02:00', to: '05:00', timeZone: 'Europe/Berlin' },
    ],
    cooldown: '5m',
    budget: { actions: 6, per: '1h' },
    verify: { after: '60s', window: '1m30s', rollback: true },
  },
  capture: {
    pprof: { port: 6060, path: '/debug/pprof' },
    profiles: ['cpu', 'heap', 'allocs', 'goroutine', 'trace', 'mutex', 'block'],
    duration: '10s',
    retain: { count: 50, age: '30d' },
  },
};

export const GOOD_SPECS: Readonly<Record<string, Record<string, unknown>>> = {
  minimal: base,
  full: FULL_SPEC,
  'selected by an expression alone': with_({ selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }),
  'equal bounds': with_({ tuning: { gogc: { min: 100, max: 100 }, memoryLimit: { min: '1Gi', max: '1024Mi' } } }),
  'all of the windows': with_({ thresholds: { breach: { windows: 5 } } }),
  'limits of further signals, one of them in days': with_({
    thresholds: { gcStallP99: '1d', gcStallMax: '1s', gcPauseP99: '5ms', gcPauseMax: '5ms', gcLimiter: false },
  }),
  'counted by annotation': with_({ activity: { annotation: 'example.com/robots' } }),
  'counted by an annotation without prefix': with_({ activity: { annotation: 'active_robots' } }),
  'counted by connections': with_({ activity: { tcpConnections: { port: 8080 } } }),
  'counted by a metric with labels': with_({
    activity: { podMetric: { port: 9090, name: 'sessions', labels: { state: 'active' } } },
  }),
  'captures of a minute': with_({ capture: { duration: '1m' } }),
  'maintained at night, past midnight': with_({ actions: { maintenanceWindows: [{ from: '22:00', to: '04:00' }] } }),
  'maintained all Sunday': with_({
    actions: {
      maintenanceWindows: [{ days: ['Sun'], from: '00:00', to: '24:00', timeZone: 'America/Argentina/Buenos_Aires' }],
    },
  }),
  'verified over a day': with_({ actions: { verify: { window: '1d' } } }),
};

export const BAD_POLICIES: readonly BadPolicy[] = [
  {
    what: 'an empty selector',
    spec: with_({ selector: {} }),
    path: 'spec.selector',
    words: 'write matchLabels, such as {app: dispatch}',
  },
  {
    what: 'no labels',
    spec: with_({ selector: { matchLabels: {} } }),
    path: 'spec.selector',
    words: 'would match every pod',
  },
  {
    what: 'In without values',
    spec: with_({ selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } }),
    path: 'spec.selector.matchExpressions[0]',
    words: 'In and NotIn need values',
  },
  {
    what: 'Exists with values',
    spec: with_({ selector: { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['a'] }] } }),
    path: 'spec.selector.matchExpressions[0]',
    words: 'Exists and DoesNotExist take none',
  },
  { what: 'no selector', spec: { sla: base.sla }, path: 'spec.selector' },
  { what: 'no latency', spec: with_({ sla: {} }), path: 'spec.sla.latencyP99' },
  { what: 'latency as a number', spec: with_({ sla: { latencyP99: 200 } }), path: 'spec.sla.latencyP99' },
  {
    what: 'latency without a unit',
    spec: sla({ latencyP99: '200' }),
    path: 'spec.sla.latencyP99',
    words: 'write a duration such as 200ms',
  },
  {
    what: 'no latency at all',
    spec: sla({ latencyP99: '0ms' }),
    path: 'spec.sla.latencyP99',
    words: 'write the promise, such as 200ms',
  },
  {
    what: 'a share without %',
    spec: sla({ gcShareOfLatency: '15' }),
    path: 'spec.sla.gcShareOfLatency',
    words: 'such as 15% or 99.95%',
  },
  {
    what: 'a share above the whole',
    spec: sla({ availability: '101%' }),
    path: 'spec.sla.availability',
    words: 'write a share from 0% to 100%',
  },
  {
    what: 'no share for GC',
    spec: sla({ gcShareOfLatency: '0.0%' }),
    path: 'spec.sla.gcShareOfLatency',
    words: 'write a share such as 15%',
  },
  { what: 'no CPU for GC', spec: sla({ throughput: '100%' }), path: 'spec.sla.throughput', words: 'write at most 99%' },
  {
    what: 'more windows than looked at',
    spec: with_({ thresholds: { breach: { windows: 6, of: 5 } } }),
    path: 'spec.thresholds.breach',
    words: 'write windows of at most `of`',
  },
  {
    what: 'no windows',
    spec: with_({ thresholds: { breach: { windows: 0 } } }),
    path: 'spec.thresholds.breach.windows',
  },
  {
    what: 'a longest stall below the P99',
    spec: with_({ thresholds: { gcStallP99: '25ms', gcStallMax: '20ms' } }),
    path: 'spec.thresholds',
    words: 'write a gcStallMax of at least gcStallP99',
  },
  {
    what: 'a longest pause below the P99',
    spec: with_({ thresholds: { gcPauseP99: '1s', gcPauseMax: '900ms' } }),
    path: 'spec.thresholds',
    words: 'write a gcPauseMax of at least gcPauseP99',
  },
  {
    what: 'more very slow mmaps than slow ones',
    spec: with_({ thresholds: { mmapSlowRate: 1, mmapVerySlowRate: 1.5 } }),
    path: 'spec.thresholds',
    words: 'write a mmapVerySlowRate of at most mmapSlowRate',
  },
  {
    what: 'a rate in words',
    spec: with_({ thresholds: { gcRate: '5/s' } }),
    path: 'spec.thresholds.gcRate',
  },
  {
    what: 'a rate below zero',
    spec: with_({ thresholds: { memoryHighRate: -1 } }),
    path: 'spec.thresholds.memoryHighRate',
  },
  {
    what: 'half an OOM kill',
    spec: with_({ thresholds: { oomKills: 0.5 } }),
    path: 'spec.thresholds.oomKills',
  },
  {
    what: 'a signal that there is not',
    spec: with_({ thresholds: { gcPauseP999: '5ms' } }),
    path: 'spec.thresholds.gcPauseP999',
  },
  {
    what: 'no source of activity',
    spec: with_({ activity: {} }),
    path: 'spec.activity',
    words: 'write exactly one of podMetric, tcpConnections, annotation',
  },
  {
    what: 'two sources of activity',
    spec: with_({ activity: { annotation: 'a', podMetric: { port: 9090, name: 'x' } } }),
    path: 'spec.activity',
    words: 'write exactly one of podMetric, tcpConnections, annotation',
  },
  {
    what: 'all sources of activity',
    spec: with_({
      activity: { annotation: 'a', tcpConnections: { port: 8080 }, podMetric: { port: 9090, name: 'x' } },
    }),
    path: 'spec.activity',
    words: 'write exactly one of podMetric, tcpConnections, annotation',
  },
  {
    what: 'connections without a port',
    spec: with_({ activity: { tcpConnections: {} } }),
    path: 'spec.activity.tcpConnections.port',
  },
  {
    what: 'connections on port 0',
    spec: with_({ activity: { tcpConnections: { port: 0 } } }),
    path: 'spec.activity.tcpConnections.port',
  },
  {
    what: 'an annotation that cannot be one',
    spec: with_({ activity: { annotation: 'active robots' } }),
    path: 'spec.activity.annotation',
    words: 'such as example.com/active-robots',
  },
  {
    what: 'a label that is no text',
    spec: with_({ activity: { podMetric: { port: 9090, name: 'x', labels: { shard: 0 } } } }),
    path: 'spec.activity.podMetric.labels.shard',
  },
  {
    what: 'a metric with a dash',
    spec: with_({ activity: { podMetric: { port: 9090, name: 'robot-active' } } }),
    path: 'spec.activity.podMetric.name',
    words: 'such as robot_active_sessions',
  },
  {
    what: 'a path without /',
    spec: with_({ activity: { podMetric: { port: 9090, name: 'x', path: 'metrics' } } }),
    path: 'spec.activity.podMetric.path',
    words: 'write a path that begins with /',
  },
  {
    what: 'a port out of range',
    spec: with_({ capture: { pprof: { port: 70_000 } } }),
    path: 'spec.capture.pprof.port',
  },
  {
    what: 'GOGC bounds crossed',
    spec: with_({ tuning: { gogc: { min: 200, max: 100 } } }),
    path: 'spec.tuning.gogc',
    words: 'write a min of at most the max, such as {min: 25, max: 400}',
  },
  {
    what: 'a GOGC minimum above the default maximum',
    spec: with_({ tuning: { gogc: { min: 500 } } }),
    path: 'spec.tuning.gogc',
    words: 'gogc.min is above gogc.max',
  },
  { what: 'a GOGC that is never useful', spec: with_({ tuning: { gogc: { min: 1 } } }), path: 'spec.tuning.gogc.min' },
  {
    what: 'a step without %',
    spec: with_({ tuning: { gogc: { maxStep: '2x' } } }),
    path: 'spec.tuning.gogc.maxStep',
    words: 'such as 25% or 100%',
  },
  {
    what: 'memory bounds crossed, in different units',
    spec: with_({ tuning: { memoryLimit: { min: '2Gi', max: '1900M' } } }),
    path: 'spec.tuning.memoryLimit',
    words: 'such as {min: 128Mi, max: 2Gi}',
  },
  {
    what: 'a size in words',
    spec: with_({ tuning: { memoryLimit: { max: '2 GB' } } }),
    path: 'spec.tuning.memoryLimit.max',
    words: 'write a size such as 128Mi',
  },
  {
    what: 'no memory for the heap',
    spec: with_({ tuning: { memoryLimit: { goMemLimit: '0%' } } }),
    path: 'spec.tuning.memoryLimit.goMemLimit',
    words: 'such as 90%',
  },
  { what: 'an unknown mode', spec: with_({ actions: { mode: 'auto' } }), path: 'spec.actions.mode' },
  { what: 'no way to act', spec: with_({ actions: { apply: [] } }), path: 'spec.actions.apply' },
  { what: 'an unknown way to act', spec: with_({ actions: { apply: ['Reboot'] } }), path: 'spec.actions.apply[0]' },
  {
    what: 'a way twice',
    spec: with_({ actions: { apply: ['Live', 'Live'] } }),
    path: 'spec.actions.apply',
    words: 'write each of Live, Resize, Rollout, Restart at most once',
  },
  {
    what: 'a remedy that nobody knows',
    spec: with_({ actions: { runbooks: ['RaiseGogc', 'Restart'] } }),
    path: 'spec.actions.runbooks[1]',
    words: 'LowerGogc',
  },
  { what: 'nobody who sets it', spec: with_({ actions: { liveBy: 'Nobody' } }), path: 'spec.actions.liveBy' },
  { what: 'no remedy', spec: with_({ actions: { runbooks: [] } }), path: 'spec.actions.runbooks' },
  {
    what: 'a remedy twice',
    spec: with_({ actions: { runbooks: ['RaiseGogc', 'RaiseGogc'] } }),
    path: 'spec.actions.runbooks',
    words: 'write each name at most once',
  },
  {
    what: 'a resize that is kept and never made',
    spec: with_({ actions: { apply: ['Live', 'Rollout'], persist: true } }),
    path: 'spec.actions',
    words: 'write Resize into apply',
  },
  {
    what: 'a window that is never open',
    spec: with_({ actions: { maintenanceWindows: [{ from: '02:00', to: '02:00' }] } }),
    path: 'spec.actions.maintenanceWindows[0]',
    words: 'write another to',
  },
  {
    what: 'a day twice',
    spec: with_({ actions: { maintenanceWindows: [{ days: ['Mon', 'Mon'], from: '02:00', to: '03:00' }] } }),
    path: 'spec.actions.maintenanceWindows[0].days',
    words: 'write each day at most once',
  },
  {
    what: 'a day by its whole name',
    spec: with_({ actions: { maintenanceWindows: [{ days: ['Monday'], from: '02:00', to: '03:00' }] } }),
    path: 'spec.actions.maintenanceWindows[0].days[0]',
  },
  {
    what: 'a time without minutes',
    spec: with_({ actions: { maintenanceWindows: [{ from: '2', to: '03:00' }] } }),
    path: 'spec.actions.maintenanceWindows[0].from',
    words: 'write a time of the day such as 02:00',
  },
  {
    what: 'a time zone that there is not',
    spec: with_({ actions: { maintenanceWindows: [{ from: '02:00', to: '03:00', timeZone: 'Europe/Atlantis' }] } }),
    path: 'spec.actions.maintenanceWindows[0].timeZone',
    words: 'time zone',
  },
  {
    what: 'no windows at all',
    spec: with_({ actions: { maintenanceWindows: [] } }),
    path: 'spec.actions.maintenanceWindows',
  },
  {
    what: 'too short a look',
    spec: with_({ actions: { verify: { window: '5s' } } }),
    path: 'spec.actions.verify.window',
    words: 'write at least 10s',
  },
  {
    what: 'a profile twice',
    spec: with_({ capture: { profiles: ['cpu', 'cpu'] } }),
    path: 'spec.capture.profiles',
    words: 'write each profile at most once',
  },
  {
    what: 'ten minutes of profiling',
    spec: with_({ capture: { duration: '10m' } }),
    path: 'spec.capture.duration',
    words: 'write between 1s and 60s',
  },
  {
    what: 'a day of profiling',
    spec: with_({ capture: { duration: '1d' } }),
    path: 'spec.capture.duration',
    words: 'write between 1s and 60s',
  },
  {
    what: 'continuous tuning by robots that nobody counts',
    spec: with_({ tuning: { continuous: true }, actions: { apply: ['Live'] } }),
    path: 'spec',
    words: 'write how they are counted',
  },
  {
    what: 'continuous tuning by rollouts',
    spec: with_({ tuning: { continuous: true }, activity: { tcpConnections: { port: 8080 } } }),
    path: 'spec',
    words: 'write Live into actions.apply',
  },
  { what: 'an unknown field', spec: with_({ tunning: {} }), path: 'spec.tunning' },
];
