/** The agent from start to end: which containers, what they do each second, a breach, its evidence, the way to the operator, an orderly stop. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Outbox, removePartials } from '../bundle/index.ts';
import { ContainerScanner, openProc } from '../host/index.ts';
import { createTransport, EventRecorder, keyOf, type Log, Manager, serveHealth } from '../kube/index.ts';
import { createCaches } from './caches.ts';
import type { AgentConfig } from './config.ts';
import { ContainerMetrics } from './container-metrics.ts';
import { GoMemLimits } from './containers/go-mem-limits.ts';
import { lastWindowMs, Roster } from './containers/roster.ts';
import { SlowLeaks } from './containers/slow-leaks.ts';
import { ContainerStatusController } from './containers/status-controller.ts';
import { UnreadPolicies } from './containers/unread-policies.ts';
import { watchlist } from './containers/watchlist.ts';
import { SavedHistories } from './evidence/index.ts';
import { IncidentDesk } from './incidents/desk.ts';
import { PprofWays } from './incidents/pprof-ways.ts';
import { Responder } from './incidents/responder.ts';
import { bootId } from './live/boot-id.ts';
import { LiveController } from './live/controller.ts';
import { LiveLedger } from './live/ledger.ts';
import { AgentMetrics } from './metrics.ts';
import { BundleShipper } from './operator-link/bundle-shipper.ts';
import { OperatorConnection } from './operator-link/connection.ts';
import { reportedPolicies } from './operator-link/reported-policies.ts';
import { WindowReporter } from './operator-link/window-reporter.ts';
import { hostSampler } from './sampler/index.ts';

/** Bundles of some hours without an operator; beyond it the newest is refused, and its incident says so. */
const outboxBytes = 1024 ** 3;
const shutdownMs = 3_000;
const lastResponseMs = 1_500;
/** The sampler ticks each second, also while the probe is down. */
const deadSamplerMs = 30_000;

/** Runs until the signal is aborted. @throws when a part fails for good, so that the kubelet starts it anew */
export async function runAgent(config: AgentConfig, log: Log, signal: AbortSignal): Promise<void> {
  const { node } = config;
  const metrics = new AgentMetrics();
  const signals = new ContainerMetrics(metrics.registry);
  const proc = openProc(config.procRoot);
  const transport = createTransport({
    ...(config.kubeconfigPath === undefined ? { inCluster: true } : { kubeconfigPath: config.kubeconfigPath }),
    userAgent: 'robotgc-agent',
    log,
    onCall: ({ verb, resource, code }) => metrics.apiCalls.inc({ verb, resource, code }),
  });
  const events = new EventRecorder({
    transport,
    reportingController: 'robotgc.dev/agent',
    reportingInstance: node,
    log,
  });

  // Which containers: policies, and the pods of this node.
  const caches = createCaches({
    transport,
    node,
    log,
    onUnread: (policyKey, raw) => {
      unread.keptOut(policyKey, raw);
      statuses.changed(policyKey);
    },
  });
  const unread: UnreadPolicies = new UnreadPolicies({
    reasons: () => caches.policies.malformed(),
    pods: caches.pods.store,
  });
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
  await removePartials(config.stateDir);
  const histories = await SavedHistories.open({
    file: join(config.stateDir, 'heap-histories.json'),
    current: () => roster.heapHistories(),
    log,
  });
  const roster: Roster = new Roster({
    node,
    policies: caches.policies.store,
    pods: caches.pods.store,
    heapHistory: (containerId) => histories.begin(containerId),
  });

  // How it stands with each of them, for the policy's status.
  const ways: PprofWays = new PprofWays({
    transport,
    proc,
    allowNetworkNamespace: config.allowNetworkNamespace,
    subject: (containerId) => pprofSubject(containerId),
    onChange: (containerId) => tellPolicies(containerId),
  });
  const statuses: ContainerStatusController = new ContainerStatusController({
    transport,
    node,
    store: caches.policies.store,
    refusal: (policyKey) => unread.refusal(policyKey),
    desired: (policyKey) =>
      roster.containerStates(policyKey, {
        ways: ways.known,
        live: live.states,
        staleGoMemLimits: goMemLimits.stale,
        slowLeaks: slowLeaks.found,
      }),
  });
  const goMemLimits = new GoMemLimits({ events, onChange: (containerId) => tellPolicies(containerId) });
  const slowLeaks = new SlowLeaks({ events, onChange: (containerId) => tellPolicies(containerId) });

  // What they do, each second.
  const containers = new ContainerScanner(proc, () => performance.now());
  let lastTickMs = performance.now();
  /** Of this tick. */
  let windows = 0;
  const sampler = hostSampler({
    roots: { procRoot: config.procRoot, cgroupRoot: config.cgroupRoot },
    populate: () => roster.populations(containers.scan()),
    sink: {
      state: ({ key, pod, container }, state) => {
        log.info({ pod: pod.name, container, ...state }, 'container');
        roster.setState(key, state);
        tellPolicies(key);
        if (state.state !== 'Watching') return;
        ways.seen(key);
        const selected = roster.selected(key);
        if (!selected) return;
        desk.watching(selected);
        live.watching(selected);
      },
      activity: ({ key, pod, container }, activity) => {
        const level = activity.kind === 'count' ? 'info' : 'warn';
        log[level]({ pod: pod.name, container, ...activity }, 'active robots');
        roster.setActivity(key, activity);
        tellPolicies(key);
      },
      rhythm: ({ key, pod, container }, rhythm) => {
        const { kind, periodMs, confidence } = rhythm;
        log.info({ pod: pod.name, container, kind, periodMs, confidence }, 'allocation rhythm');
        roster.setRhythm(key, rhythm);
        tellPolicies(key);
      },
      pause: ({ key }, pause) => roster.recorder(key).pause(pause),
      cycle: ({ key }, cycle) => roster.recorder(key).cycle(cycle),
      assist: ({ key }, assist) => roster.recorder(key).assist(assist),
      wait: ({ key }, wait) => roster.recorder(key).wait(wait),
      pressure: ({ key, pod, container }, onset) => {
        const { signal: pressure, share, limit, toldBy } = onset;
        log.warn({ pod: pod.name, container, signal: pressure, share, limit, toldBy }, 'memory pressure begins');
        metrics.pressureOnsets.inc({ signal: pressure, told_by: toldBy });
        roster.recorder(key).pressure({ ...onset, detectedAt: new Date().toISOString() });
      },
      window: ({ key }, window) => {
        windows += 1;
        signals.observe(window);
        if (window.gc?.gogc !== undefined && window.gc.gogc !== null) live.inEffect(key, window.gc.gogc);
        roster.recorder(key).window(window);
        const selected = roster.selected(key);
        if (!selected) return;
        goMemLimits.window(key, selected, window);
        slowLeaks.window(key, selected, window, roster.recorder(key).heap);
        desk.window(selected, window);
      },
    },
    onTick: () => {
      lastTickMs = performance.now();
      metrics.windows.inc(windows);
      windows = 0;
      metrics.droppedWindows.set(reporter.dropped);
      for (const [state, count] of Object.entries(roster.countByState())) metrics.watched.set({ state }, count);
    },
    onFlush: ({ lost }, tookMs) => {
      metrics.lostEvents.inc(lost);
      metrics.flushSeconds.observe(tookMs / 1000);
    },
    onProbeUp: ({ ready }) => {
      metrics.probeStarts.inc();
      log.info({ attach: ready.attach, kernel: ready.kernel }, 'the probe is ready');
    },
    onProbeDown: (error, retryInMs) => log.warn({ err: error, retryInMs }, 'the probe is down'),
    onProbeLog: (line) => log.warn({ probe: line }, 'the probe says'),
  });

  // Settings of running processes, as their pods' annotations say.
  const ledger = await LiveLedger.open(join(config.stateDir, 'live.json'), await bootId(config.procRoot));
  const live: LiveController = new LiveController({
    proc,
    ledger,
    enabled: config.live,
    // Not the roster's, which follows the caches a moment later: what has no policy any more is put back.
    selected: (containerId) =>
      watchlist(caches.policies.store.list(), caches.pods.store.list()).selected.get(containerId),
    processes: (containerId) =>
      (sampler.inspect(containerId)?.programs ?? []).flatMap(({ pid }) => proc.identity(pid) ?? []),
    onChange: tellPolicies,
    log,
  });

  // A breach, and its evidence.
  const scratchDir = join(config.stateDir, 'scratch');
  await mkdir(scratchDir, { recursive: true, mode: 0o700 });
  const outbox = await Outbox.open(join(config.stateDir, 'outbox'), { budgetBytes: outboxBytes });
  const responder = new Responder({
    transport,
    sampler,
    ways,
    proc,
    outbox,
    scratchDir,
    log,
    onBundle: () => shipper.wake(),
    onCaptured: (outcome) => metrics.captures.inc({ outcome }),
  });
  const desk = new IncidentDesk({
    node,
    roster,
    incidents: caches.incidents.store,
    responder,
    events,
    log,
    onBreach: (breached) => metrics.incidents.inc({ signal: breached }),
  });

  // To the operator: bundles until acknowledged, windows while an incident is open or GOGC is tuned all the time.
  const connection = new OperatorConnection({
    url: config.operatorUrl,
    tokenFile: config.operatorTokenFile,
    caFile: config.operatorCaFile,
  });
  const shipper = new BundleShipper({
    outbox,
    connection,
    isKnown: (incident) => caches.incidents.store.get(keyOf(incident)) !== undefined,
    log,
    onPending: (bundles) => metrics.pendingBundles.set(bundles),
    onShipped: () => metrics.shippedBundles.inc(),
  });
  const reporter = new WindowReporter({
    connection,
    reported: () =>
      [...reportedPolicies(desk.openPolicies(), caches.policies.store.list())]
        .flatMap((policyKey) => roster.ofPolicy(policyKey))
        .map(({ target: { key } }) => ({ key, recent: (sinceMs) => roster.recorder(key).windows.since(sinceMs) })),
    log,
    onSent: (windows) => metrics.sentWindows.inc(windows),
  });

  // News of policies and pods, gathered: a rollout is many.
  const refresh = gathered(() => {
    for (const id of roster.refresh(performance.now())) {
      ways.forget(id);
      signals.forget(id);
      live.forget(id);
      goMemLimits.forget(id);
      slowLeaks.forget(id);
    }
    live.refresh(roster.all);
    sampler.setTargets(roster.targets);
    for (const policyKey of [...caches.policies.store.keys(), ...unread.keys]) statuses.changed(policyKey);
    if (roster.hasEnded) setTimeout(refresh, lastWindowMs).unref();
  });
  caches.policies.store.onChange(refresh);
  caches.pods.store.onChange(refresh);

  const manager = new Manager({
    log,
    reflectors: Object.values(caches),
    controllers: [statuses, ways, live],
    services: [{ name: 'sampler', run: (stop) => sampler.run(stop) }, reporter, shipper, histories],
    recorder: events,
    shutdownMs,
  });
  // Answered while caches sync, and until the last part has stopped. A port that cannot be had ends everything.
  const healthStop = new AbortController();
  const failed = new AbortController();
  const serving = serveHealth(
    config.healthPort,
    {
      alive: () => manager.alive() && performance.now() - lastTickMs < deadSamplerMs,
      ready: () => manager.ready(),
      registry: metrics.registry,
    },
    healthStop.signal,
  );
  serving.catch((error: unknown) => failed.abort(error));
  signal.addEventListener('abort', () => void desk.stop(lastResponseMs), { once: true });
  try {
    await manager.run(AbortSignal.any([signal, failed.signal]));
    await desk.stop(lastResponseMs);
  } finally {
    healthStop.abort();
    await transport.close();
  }
  await serving;

  function tellPolicies(containerId: string): void {
    for (const { metadata } of roster.selected(containerId)?.policies ?? []) statuses.changed(keyOf(metadata));
  }

  function pprofSubject(containerId: string) {
    const selected = roster.selected(containerId);
    const policy = selected?.policies[0];
    const pid = sampler.inspect(containerId)?.programs[0]?.pid;
    if (!selected || !policy || pid === undefined) return undefined;
    return { containerId, pod: selected.pod, pid, pprof: policy.spec.capture.pprof };
  }
}

/** Runs `work` at once for the first call of a while, and once more for all others within a tenth of a second. */
function gathered(work: () => void): () => void {
  let state: 'idle' | 'gathering' | 'more' = 'idle';
  const begin = (): void => {
    state = 'gathering';
    work();
    setTimeout(() => {
      if (state === 'more') begin();
      else state = 'idle';
    }, 100).unref();
  };
  return () => {
    if (state === 'idle') setImmediate(begin).unref();
    state = 'more';
  };
}
