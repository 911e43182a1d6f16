/** The real API server, the operator as it runs, and robots in namespaces of their own; controllers, kubelet and agents are played. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateKeyPair, uploadBundle, writeBundle } from '../../src/bundle/index.ts';
import { create, incidents, silentLog } from '../../src/kube/index.ts';
import type { SignalWindow } from '../../src/model/index.ts';
import { triggerAt } from '../../src/operator/incidents/testing.ts';
import { runOperator } from '../../src/operator/main.ts';
import { DEFAULT_BREAKER } from '../../src/remedy/index.ts';
import { freePorts } from '../cluster/ports.ts';
import { ApiRig } from '../support/api-rig.ts';
import { isReady } from '../support/ready.ts';
import { createAgentAccount, installResources, kubectlOf } from '../support/robots-api.ts';
import { until } from '../support/until.ts';
import { type Kind, memoryOf, specOf } from './policies.ts';
import { NAME, Robot } from './robot.ts';
import { Sight } from './sight.ts';

/** Faster than a node, so that what waits for signals need not wait for long. */
const WINDOW_EVERY_MS = 500;
const TICK_MS = 50;

export class Ground {
  readonly api: ApiRig;
  readonly sight: Sight;
  readonly #folder: string;
  readonly #token: string;
  readonly #robots: Robot[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  #ingest = '';
  #stopOperator = (): Promise<void> => Promise.resolve();

  private constructor(api: ApiRig, folder: string, token: string) {
    this.api = api;
    this.#folder = folder;
    this.#token = token;
    this.sight = new Sight(api.direct);
  }

  static async start(): Promise<Ground> {
    const [api, folder] = await Promise.all([ApiRig.start(), mkdtemp(join(tmpdir(), 'robotgc-walk-'))]);
    const kubectl = kubectlOf(api.plane);
    await installResources(kubectl);
    await writeFile(join(folder, 'key.pem'), generateKeyPair().privatePem);
    const ground = new Ground(api, folder, await createAgentAccount(kubectl));
    const { signal } = ground.#stop;
    ground.#running.push(ground.sight.run(signal));
    await ground.sight.synced();
    ground.#running.push(ground.#play(signal), ground.#report(signal));
    return ground;
  }

  async stop(): Promise<void> {
    await this.#stopOperator();
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.api.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** One operator for the one before, as an upgrade with another flag does it. */
  async operate({ observeOnly }: { readonly observeOnly: boolean }): Promise<void> {
    await this.#stopOperator();
    const [ingestPort = 0, healthPort = 0] = await freePorts(2);
    const stop = new AbortController();
    const running = runOperator(
      {
        namespace: 'robots',
        identity: 'operator-1',
        leaseName: 'robotgc-operator',
        dataDir: this.#folder,
        signingKeyFile: join(this.#folder, 'key.pem'),
        agentUser: 'system:serviceaccount:robots:agent',
        ...{ ingestPort, healthPort, observeOnly, tls: undefined },
        // As many workloads at once would stop a real fleet.
        breaker: { ...DEFAULT_BREAKER, breached: 1000, rolledBack: 1000 },
        kubeconfigPath: this.api.plane.kubeconfigPath,
      },
      silentLog,
      stop.signal,
    );
    running.catch(() => undefined);
    this.#stopOperator = async () => {
      stop.abort();
      await running;
    };
    await until('the operator is ready', () => isReady(healthPort), 30_000, 50);
    this.#ingest = `http://127.0.0.1:${ingestPort}`;
  }

  /** A robot in a namespace of its own, and its policy, under which robotgc has acted when this resolves. */
  async robot(kind: Kind, namespace: string): Promise<Robot> {
    await this.api.direct.json({
      method: 'POST',
      path: '/api/v1/namespaces',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    });
    const robot = new Robot(this.api.direct, this.sight, namespace, kind === 'Followed');
    await robot.deploy(memoryOf(kind), specOf(kind, NAME));
    this.#robots.push(robot);
    await until(`${namespace} runs`, () => robot.gogc !== undefined, 60_000, 50);
    await this.#send(Array.from({ length: 10 }, (_, i) => robot.window(Date.now() - (10 - i) * 1000)).flat());
    if (kind !== 'Tuned' && kind !== 'Followed') await this.#breach(robot);
    await until(`robotgc has acted on ${namespace}`, () => this.#hasActed(kind, namespace), 120_000, 100);
    return robot;
  }

  #hasActed(kind: Kind, namespace: string): boolean {
    const tuned = this.sight.policy(namespace)?.status.tuning?.[0];
    if (kind === 'Tuned' || kind === 'Followed')
      return tuned?.plan.kind === 'None' && tuned.actions?.at(-1)?.result === 'Completed';
    // What it says of incidents follows a moment later.
    const isTold = this.sight.policy(namespace)?.status.incidents?.open === 0;
    return isTold && this.sight.incident(namespace)?.status.phase === (kind === 'Advised' ? 'Observed' : 'Resolved');
  }

  /** As the agent: an incident, and its evidence. */
  async #breach(robot: Robot): Promise<void> {
    const { namespace } = robot;
    const [policy, pod] = [this.sight.policy(namespace), this.sight.pod(namespace)];
    if (!policy || !pod) throw new Error(`${namespace} has no policy and no pod to breach`);
    const nowMs = Date.now();
    const { metadata } = await create(this.api.direct, incidents, {
      metadata: { name: NAME, namespace },
      spec: {
        policy: { name: NAME, uid: policy.metadata.uid, generation: policy.metadata.generation },
        pod: { name: pod.metadata.name, uid: pod.metadata.uid },
        container: { name: 'robot', id: pod.metadata.uid },
        node: 'node-1',
        trigger: triggerAt(nowMs),
      },
    });
    // Before it knows the incident, the operator takes no evidence of it.
    await until('the operator sees it', () => this.sight.incident(namespace)?.status.phase !== undefined, 60_000, 50);
    const windows = Array.from({ length: 12 }, (_, i) => robot.window(nowMs - (12 - i) * 1000)).flat();
    const incident = { namespace, name: NAME, uid: metadata.uid };
    const file = join(this.#folder, `${namespace}.tar.gz`);
    const content = new TextEncoder().encode(linesOf(windows));
    const about = { incident, policy: {}, createdAt: new Date(nowMs).toISOString(), node: 'node-1', tools: {} };
    const { sha256 } = await writeBundle([{ path: 'signals.ndjson', content, source: 'test' }], about, { file });
    const url = `${this.#ingest}/v1/bundles/${namespace}/${NAME}`;
    const signal = AbortSignal.timeout(60_000);
    await uploadBundle({ url, token: this.#token, file, sha256, incident, signal, retry: { tries: 20 } });
  }

  async #play(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What fails, a write to what has changed meanwhile, is tried again from what there is then.
      await Promise.all(this.#robots.map((robot) => robot.tick().catch(() => undefined)));
      await sleep(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #report(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // An operator that is being replaced takes none.
      await this.#send(this.#robots.flatMap((robot) => robot.window(Date.now()))).catch(() => undefined);
      await sleep(WINDOW_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #send(windows: readonly SignalWindow[]): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}` };
    if (windows.length > 0)
      await fetch(`${this.#ingest}/v1/windows`, { method: 'POST', headers, body: linesOf(windows) });
  }
}

function linesOf(windows: readonly SignalWindow[]): string {
  return windows.map((window) => `${JSON.stringify(window)}\n`).join('');
}
