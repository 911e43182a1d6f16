import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createTransport } from '../../src/kube/index.ts';
import { type Log, silentLog } from '../../src/kube/log.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { Resource } from '../../src/kube/resource.ts';
import type { Change } from '../../src/kube/store.ts';
import type { Transport } from '../../src/kube/transport.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { ManualClock } from './manual-clock.ts';
import { until } from './until.ts';

const widget = z.object({ metadata: z.object({ name: z.string(), uid: z.string() }), size: z.number() });
export type Widget = z.infer<typeof widget>;

/** What the fake serves; `size` must be a number, else the object is malformed. */
export const widgets: Resource<Widget> = {
  group: 'test.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
  parse: (raw) => widget.parse(raw),
};

/** A reflector against the fake, on a clock that stands still. */
export class ReflectorRig implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly fake: FakeApiServer;
  readonly transport: Transport;
  readonly reflector: Reflector<Widget>;
  readonly changes: Change<Widget>[] = [];
  /** What a listener that only follows the changes believes. */
  readonly replica = new Map<string, Widget>();
  /** Changes that do not fit what was believed: must stay empty. */
  readonly contradictions: string[] = [];
  /** Key and object of each that was kept out, in order. */
  readonly keptOut: (readonly [key: string, raw: unknown])[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(clock: ManualClock, fake: FakeApiServer, options: { pageSize?: number; log?: Log }) {
    this.clock = clock;
    this.fake = fake;
    this.transport = createTransport({ kubeConfig: fake.kubeConfig(), userAgent: 'test', clock });
    this.reflector = new Reflector({
      transport: this.transport,
      resource: widgets,
      log: options.log ?? silentLog,
      clock,
      random: () => 0.5,
      onKeptOut: (key, raw) => this.keptOut.push([key, raw]),
      indexers: { size: ({ size }) => [String(size)] },
      ...(options.pageSize === undefined ? {} : { pageSize: options.pageSize }),
    });
    this.reflector.store.onChange((change) => this.#follow(change));
  }

  static async start(
    options: { pageSize?: number; log?: Log; prepare?: (fake: FakeApiServer) => void } = {},
  ): Promise<ReflectorRig> {
    const clock = new ManualClock();
    const fake = await FakeApiServer.start(clock);
    options.prepare?.(fake);
    const rig = new ReflectorRig(clock, fake, options);
    rig.#running = rig.reflector.run(rig.#stop.signal);
    return rig;
  }

  /** Names and sizes in the store, in order. */
  seen(): string[] {
    return this.reflector.store
      .list()
      .map((object) => `${object.metadata.name}=${object.size}`)
      .sort();
  }

  /** Names and sizes that a right store has now. */
  truth(): string[] {
    return this.fake
      .objects()
      .flatMap(({ metadata, size }) => (typeof size === 'number' ? [`${metadata.name}=${size}`] : []))
      .sort();
  }

  agrees(): boolean {
    return JSON.stringify(this.seen()) === JSON.stringify(this.truth());
  }

  async watching(): Promise<void> {
    await until(
      'the reflector watches',
      () => this.reflector.status().state === 'watching' && this.fake.openWatches > 0,
    );
  }

  /** Lets `seconds` pass on the clock, with real time in between for the sockets. */
  async elapse(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1000);
      await sleep(2);
    }
  }

  /** Lets time pass, 200 ms at a time, until the condition holds. */
  async eventually(what: string, condition: () => boolean): Promise<void> {
    await until(what, () => {
      if (condition()) return true;
      this.clock.advance(200);
      return false;
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.transport.close();
    await this.fake.stop();
  }

  #follow(change: Change<Widget>): void {
    this.changes.push(change);
    const believed = this.replica.get(change.key);
    const fits =
      change.type === 'added'
        ? believed === undefined
        : change.type === 'deleted'
          ? believed === change.object
          : believed === change.previous && believed.metadata.uid === change.object.metadata.uid;
    if (!fits) this.contradictions.push(`${change.type} ${change.key}`);
    if (change.type === 'deleted') this.replica.delete(change.key);
    else this.replica.set(change.key, change.object);
  }
}
