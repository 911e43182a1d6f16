/**
 * For tests: incidents that live from their evidence to a final phase on the real API server, with operators that are in trouble. What
 * controllers, kubelet and agent do is played, see `testing-worlds.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiRig } from '../../../test/support/api-rig.ts';
import { installResources, kubectlOf } from '../../../test/support/robots-api.ts';
import { until } from '../../../test/support/until.ts';
import { type IncidentStatus, isFinal, type RobotGCIncident } from '../../api/index.ts';
import { FolderStore, generateKeyPair, privateKeyFromPem, writeBundle } from '../../bundle/index.ts';
import {
  create,
  EventRecorder,
  find,
  get,
  incidents,
  type Pod,
  pods,
  policies,
  silentLog,
  type Transport,
} from '../../kube/index.ts';
import { DEFAULT_BREAKER } from '../../remedy/index.ts';
import { FleetBreaker } from '../breaker.ts';
import { type Caches, createCaches } from '../caches.ts';
import { Incoming } from '../ingest/incoming.ts';
import { OperatorMetrics } from '../metrics.ts';
import { SignalStore } from '../signals.ts';
import { IncidentController } from './controller.ts';
import type { SealContext } from './seal.ts';
import { T0, triggerAt, windowAt } from './testing.ts';
import { type Death, Killed, mortal, type Sleep, Sleeper } from './testing-faults.ts';
import { namespace, type World } from './testing-worlds.ts';

/** Long enough for a crowd of lives on a machine that is busy with other things. */
const LIFE_LIMIT_MS = 180_000;

/** How a workload is changed, and the GC share of its pods afterwards. */
export interface Course {
  readonly world: World;
  readonly share: number;
}

export interface Trouble {
  readonly death?: Death;
  /** Operators that all believe to lead, default one. */
  readonly leaders?: number;
  /** The first operator sleeps while another one brings the incident to its end. */
  readonly sleep?: Sleep;
  /** What the operators know of the cluster. */
  readonly caches?: Caches;
  readonly disturbance?: Disturbance;
}

/** What takes the windows that agents send. */
export type WindowSink = Pick<SignalStore, 'add'>;

/** Done once, when the incident has come so far. */
export interface Disturbance {
  readonly when: (status: IncidentStatus) => boolean;
  readonly what: (name: string) => Promise<unknown>;
}

export interface Life {
  readonly incident: RobotGCIncident;
  readonly end: object;
  /** Paths of what the operators wrote, in order. */
  readonly writes: readonly string[];
}

/** What must be the same whatever happened on the way. */
export function outcome({ incident, end }: Pick<Life, 'incident' | 'end'>): object {
  const { phase, actions } = incident.status;
  return {
    phase,
    actions: actions?.map(({ kind, knob, before, after, result }) => ({ kind, knob, before, after, result })),
    ...end,
  };
}

export class Lives {
  readonly api: ApiRig;
  readonly caches: Caches;
  readonly sealing: SealContext;
  readonly #folder: string;
  readonly #stop = new AbortController();
  #named = 0;
  readonly #watching: Promise<unknown>[] = [];

  private constructor(api: ApiRig, folder: string, sealing: SealContext) {
    this.api = api;
    this.#folder = folder;
    this.sealing = sealing;
    this.caches = this.watch(api.direct);
  }

  static async start(): Promise<Lives> {
    const api = await ApiRig.start();
    await installResources(kubectlOf(api.plane));
    const folder = await mkdtemp(join(tmpdir(), 'robotgc-lives-'));
    const incoming = new Incoming(join(folder, 'incoming'));
    await incoming.open();
    const signer = { privateKey: privateKeyFromPem(generateKeyPair().privatePem) };
    const store = new FolderStore(join(folder, 'bundles'));
    const lives = new Lives(api, folder, { incoming, store, signer, identity: 'operator' });
    await lives.synced(lives.caches);
    return lives;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#watching);
    await this.api.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Where bundles are, as an operator finds them on its volume. */
  get folder(): string {
    return this.#folder;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Caches of an operator that sees the cluster through this transport. */
  watch(transport: Transport): Caches {
    const caches = createCaches(transport, silentLog);
    this.#watching.push(...Object.values(caches).map((cache) => cache.run(this.#stop.signal)));
    return caches;
  }

  async synced(caches: Caches): Promise<void> {
    for (const { store } of Object.values(caches)) await store.whenSynced(AbortSignal.timeout(60_000));
  }

  /** One incident from its evidence to a final phase. */
  async live(wanted: string, course: Course, trouble: Trouble = {}): Promise<Life> {
    const name = this.named(wanted);
    const { death, leaders = 1, sleep: sleeping, caches = this.caches } = trouble;
    await course.world.deploy(this.api.direct, name);
    await this.#known(caches, name);
    await this.deliver(await this.open(name));
    const stopped = new AbortController();
    const signals = new SignalStore();
    const playing = this.play(name, [signals], course, stopped.signal);
    const disturbing = this.#disturb(name, trouble.disturbance, stopped.signal);
    const writes: string[] = [];
    const born = (): IncidentController =>
      this.controllerOf({ transport: mortal(this.api.direct, death, (path) => writes.push(path)), signals, caches });
    try {
      if (sleeping) await this.#overslept(name, sleeping, signals, born);
      else await Promise.all(Array.from({ length: leaders }, () => this.#lead(name, born)));
      return { ...(await this.ended(name, course.world)), writes };
    } finally {
      stopped.abort();
      await Promise.all([playing, disturbing]);
    }
  }

  /** A breach takes seconds, and its capture more: by then who sees the cluster late has seen the robot as it is. */
  async #known(caches: Caches, name: string): Promise<void> {
    const robot = await find(this.api.direct, pods, { namespace, name: `${name}-0` });
    const seen = () => caches.pods.store.get(`${namespace}/${name}-0`)?.metadata.resourceVersion;
    if (robot) await until(`${name}-0 is known`, () => seen() === robot.metadata.resourceVersion, 60_000, 50);
  }

  /** A name that nothing had before, also where a test is tried again. */
  named(wanted: string): string {
    return `${wanted}-${++this.#named}`;
  }

  incident(name: string): Promise<RobotGCIncident> {
    return get(this.api.direct, incidents, { namespace, name });
  }

  async ended(name: string, world: World): Promise<Omit<Life, 'writes'>> {
    const incident = await this.incident(name);
    return { incident, end: await world.end(this.api.direct, name) };
  }

  /** The first operator is woken when the second one has brought the incident to its end. */
  async #overslept(name: string, sleeping: Sleep, signals: SignalStore, born: () => IncidentController): Promise<void> {
    const sleeper = new Sleeper(this.api.direct, sleeping);
    const first = this.#lead(name, () => this.controllerOf({ transport: sleeper.transport, signals }));
    await Promise.race([sleeper.asleep, first]);
    await this.#lead(name, born);
    sleeper.wake();
    await first;
  }

  /** Reconciles as a queue would, by another operator after each death. */
  async #lead(name: string, born: () => IncidentController): Promise<void> {
    let controller = born();
    for (const deadlineMs = Date.now() + LIFE_LIMIT_MS; Date.now() < deadlineMs; ) {
      try {
        const result = await controller.reconcile(`${namespace}/${name}`, this.signal);
        await sleep(Math.min(result?.requeueAfterMs ?? 100, 250));
      } catch (error) {
        // What fails is tried again by the queue: of two that seal at once, one finds the evidence stored already.
        if (error instanceof Killed) controller = born();
        else await sleep(100);
      }
      const { status } = await this.incident(name);
      if (isFinal(status.phase)) return;
    }
    const { status } = await this.incident(name);
    throw new Error(`${name} is still ${status.phase}: ${status.message}`);
  }

  async #disturb(name: string, disturbance: Disturbance | undefined, signal: AbortSignal): Promise<void> {
    while (disturbance && !signal.aborted) {
      const { status } = await this.incident(name);
      if (disturbance.when(status)) {
        await disturbance.what(name);
        return;
      }
      await sleep(50);
    }
  }

  recorderOf(transport: Transport = this.api.direct): EventRecorder {
    return new EventRecorder({
      transport,
      reportingController: 'robotgc.dev/operator',
      reportingInstance: 'operator',
      log: silentLog,
    });
  }

  /** Many workloads in one namespace breach together here. */
  breakerOf(caches: Caches): FleetBreaker {
    return new FleetBreaker(caches.incidents.store, { ...DEFAULT_BREAKER, breached: 1000, rolledBack: 1000 });
  }

  controllerOf(
    operator: { readonly transport: Transport; readonly signals: SignalStore; readonly caches?: Caches },
    metrics = new OperatorMetrics(),
  ): IncidentController {
    const { transport, signals, caches = this.caches } = operator;
    const { sealing } = this;
    return new IncidentController({
      ...{ transport, caches, signals, sealing, metrics },
      incoming: sealing.incoming,
      observeOnly: false,
      breaker: this.breakerOf(caches),
      recorder: this.recorderOf(),
      log: silentLog,
    });
  }

  async open(name: string): Promise<RobotGCIncident> {
    const [policy, pod] = await Promise.all([
      get(this.api.direct, policies, { namespace, name }),
      get(this.api.direct, pods, { namespace, name: `${name}-0` }),
    ]);
    return create(this.api.direct, incidents, {
      metadata: { name, namespace },
      spec: {
        policy: { name, uid: policy.metadata.uid, generation: 1 },
        pod: { name: pod.metadata.name, uid: pod.metadata.uid },
        container: { name: 'robot', id: 'containerd://1' },
        node: 'node-1',
        trigger: triggerAt(Date.now()),
      },
    });
  }

  async deliver({ metadata, spec }: RobotGCIncident): Promise<void> {
    const nowMs = Date.now();
    const windows = Array.from({ length: 12 }, (_, i) => windowOf(spec.pod, nowMs - (12 - i) * 1000, 0.2, 10));
    const file = join(this.#folder, `${metadata.name}.tar.gz`);
    const content = new TextEncoder().encode(windows.map((window) => `${JSON.stringify(window)}\n`).join(''));
    const { name, uid } = metadata;
    const about = {
      incident: { namespace, name, uid },
      policy: {},
      createdAt: new Date(nowMs).toISOString(),
      node: 'n',
      tools: {},
    };
    await writeBundle([{ path: 'signals.ndjson', content, source: 'test' }], about, { file });
    await this.sealing.incoming.take(file, namespace, name);
  }

  /** Has done what was asked for, and reports windows of whichever pod is there, also while the API server is away. */
  async play(name: string, sinks: readonly WindowSink[], { world, share }: Course, signal: AbortSignal): Promise<void> {
    let known: { readonly pod: Pod; readonly gogc: number } | undefined;
    const settling = (async () => {
      for (; !signal.aborted; await sleep(500, undefined, { signal }).catch(() => undefined))
        known = await world.settle(this.api.direct, name).catch(() => known);
    })();
    for (; !signal.aborted; await sleep(500, undefined, { signal }).catch(() => undefined)) {
      if (!known) continue;
      const { pod, gogc } = known;
      const window = windowOf(pod.metadata, Date.now(), gogc === 10 ? 0.2 : share, gogc);
      for (const sink of sinks) sink.add(window);
    }
    await settling;
  }
}

export function windowOf(pod: { name: string; uid: string }, endMs: number, share: number, gogc: number) {
  const window = windowAt(endMs - T0, share + Math.random() / 1000, gogc);
  const { name, uid } = pod;
  return { ...window, seq: Math.floor(endMs / 1000), pod: { namespace, name, uid } };
}
