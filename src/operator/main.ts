/** The operator from start to end: caches, controllers, the agents' door, one leader, an orderly stop. */
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderStore, privateKeyFromPem, type Signer } from '../bundle/index.ts';
import {
  createTransport,
  EventRecorder,
  KeyedQueue,
  keyOf,
  LeaderElector,
  type Log,
  Manager,
  type Service,
  serveHealth,
  serveHttp,
} from '../kube/index.ts';
import { FleetBreaker, tellOfBreaker } from './breaker.ts';
import { createCaches } from './caches.ts';
import type { OperatorConfig } from './config.ts';
import { IncidentController } from './incidents/controller.ts';
import { Authenticator } from './ingest/authenticate.ts';
import { Incoming } from './ingest/incoming.ts';
import { createIngestServer } from './ingest/server.ts';
import { LiveSpreader } from './live/controller.ts';
import { OperatorMetrics } from './metrics.ts';
import { PolicyController } from './policies/controller.ts';
import { retain } from './retention.ts';
import { SignalStore } from './signals.ts';
import { TuningController } from './tuning/controller.ts';

/** Runs until the signal is aborted. @throws when a part fails for good, so that the kubelet starts it anew */
export async function runOperator(config: OperatorConfig, log: Log, signal: AbortSignal): Promise<void> {
  const metrics = new OperatorMetrics();
  const transport = createTransport({
    ...(config.kubeconfigPath === undefined ? { inCluster: true } : { kubeconfigPath: config.kubeconfigPath }),
    userAgent: 'robotgc-operator',
    log,
    onCall: (call) => metrics.called(call),
  });
  const signer = await readSigner(config.signingKeyFile);
  const incoming = new Incoming(join(config.dataDir, 'incoming'));
  await incoming.open();
  const store = new FolderStore(join(config.dataDir, 'bundles'));
  const signals = new SignalStore();

  // What is known of the cluster.
  const policyQueue = new KeyedQueue({ name: 'policies', metrics: metrics.queue });
  const caches = createCaches(transport, log, (policyKey) => policyQueue.add(policyKey));
  const recorder = new EventRecorder({
    transport,
    reportingController: 'robotgc.dev/operator',
    reportingInstance: config.identity,
    log,
  });

  // Two duties, each with its queue. An incident's change is news for its policy too.
  const incidentQueue = new KeyedQueue({ name: 'incidents', metrics: metrics.queue });
  caches.incidents.store.onChange(({ key, object }) => {
    incidentQueue.add(key);
    policyQueue.add(`${object.metadata.namespace}/${object.spec.policy.name}`);
  });
  caches.policies.store.onChange(({ key }) => policyQueue.add(key));
  const breaker = new FleetBreaker(caches.incidents.store, config.breaker);
  metrics.watchHealing(() =>
    caches.policies.store.list().map(({ metadata: { namespace, name: policy }, status }) => ({
      namespace,
      policy,
      mttrSeconds: status.mttrSeconds,
      autoHealRate: status.autoHealRate,
    })),
  );
  metrics.watchTuning(() =>
    caches.policies.store
      .list()
      .flatMap(({ metadata: { namespace, name: policy }, status }) =>
        (status.tuning ?? []).map((state) => ({ ...state, namespace, policy })),
      ),
  );
  metrics.watchBreaker(() => breaker.at(Date.now()));
  const incidentController = new IncidentController({
    transport,
    caches,
    signals,
    incoming,
    observeOnly: config.observeOnly,
    breaker,
    sealing: { incoming, store, signer, identity: config.identity },
    recorder,
    metrics,
    log,
  });
  const policyController = new PolicyController({ transport, caches, breaker, observeOnly: config.observeOnly });

  const liveSpreader = new LiveSpreader({
    transport,
    caches,
    observeOnly: config.observeOnly,
    queueMetrics: metrics.queue,
    log,
  });

  const tuningController = new TuningController({
    transport,
    caches,
    signals,
    observeOnly: config.observeOnly,
    breaker,
    recorder,
    metrics,
    log,
  });

  // One leader acts; both replicas keep their caches warm and answer health checks.
  const elector = new LeaderElector({
    transport,
    namespace: config.namespace,
    name: config.leaseName,
    identity: config.identity,
    log,
    onNewLeader: (leader) => {
      metrics.leads(leader === config.identity);
      log.info({ leader }, 'leader');
    },
    // Two leaders could act on one workload: better none for a moment.
    onOverrun: () => process.exit(1),
  });

  const ingest = createIngestServer(
    {
      identity: config.identity,
      isLeader: () => elector.isLeader,
      authenticator: new Authenticator(transport, config.agentUser),
      signals,
      incoming,
      expects: (namespace, incident) => {
        const known = caches.incidents.store.get(keyOf({ namespace, name: incident }));
        if (!known) return 'unknown';
        return known.status.bundle ? 'has-one' : 'yes';
      },
      onBundle: (namespace, incident) => incidentQueue.add(keyOf({ namespace, name: incident })),
      publicKeyPem: publicPem(signer),
      metrics,
      log,
    },
    config.tls && { cert: await readFile(config.tls.certFile), key: await readFile(config.tls.keyFile) },
  );

  const services: Service[] = [
    { name: 'ingest', run: (stop) => serveHttp(ingest, config.ingestPort, stop) },
    {
      name: 'circuit-breaker',
      leaderOnly: true,
      run: (stop) =>
        tellOfBreaker(
          { breaker, policies: caches.policies, recorder, turned: (key) => policyQueue.add(key), log },
          stop,
        ),
    },
    { name: 'retention', leaderOnly: true, run: (stop) => retain({ transport, caches, store, log }, stop) },
  ];
  const manager = new Manager({
    log,
    reflectors: Object.values(caches),
    controllers: [
      {
        name: 'incidents',
        queue: incidentQueue,
        concurrency: 4,
        reconcile: (key, stop) => incidentController.reconcile(key, stop),
      },
      {
        name: 'policies',
        queue: policyQueue,
        // One that waits for the API server is not to hold up the status of all others.
        concurrency: 4,
        reconcile: (key, stop) => policyController.reconcile(key, stop),
      },
      liveSpreader,
      tuningController,
    ],
    services,
    elector,
    recorder,
  });
  const health = { alive: () => manager.alive(), ready: () => manager.ready(), registry: metrics.registry };

  // The probes must be answered while caches sync, and until the last part has stopped.
  const healthStop = new AbortController();
  const healthDone = serveHealth(config.healthPort, health, healthStop.signal);
  try {
    await Promise.race([manager.run(signal), healthDone]);
  } finally {
    healthStop.abort();
    await healthDone;
    await transport.close();
  }
}

async function readSigner(file: string): Promise<Signer> {
  return { privateKey: privateKeyFromPem(await readFile(file, 'utf8')) };
}

function publicPem({ privateKey }: Signer): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}
