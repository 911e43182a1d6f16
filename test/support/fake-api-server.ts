import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { type Clock, systemClock } from '../../src/kube/clock.ts';

/** An object as the fake stores it: anything with metadata, also things no real server would send. */
export interface FakeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly [field: string]: unknown;
}

interface LoggedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resourceVersion: number;
  readonly object: FakeObject;
}

interface OpenWatch {
  readonly response: ServerResponse;
  readonly cancel: () => void;
  muted: boolean;
}

export interface FakeRequest {
  readonly verb: 'LIST' | 'WATCH' | 'OTHER';
  readonly atMs: number;
  readonly query: URLSearchParams;
  /** Ports tell connections apart. */
  readonly clientPort: number;
}

/**
 * Speaks list and watch over real HTTP, for one collection, and can be driven into states that a real API server cannot: events that are no
 * JSON, objects without metadata, a history set back, watches that are open and mute. For everything else the tests use the real one.
 */
export class FakeApiServer {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #objects = new Map<string, FakeObject>();
  readonly #snapshots = new Map<string, FakeObject[]>();
  readonly #watches = new Set<OpenWatch>();
  #log: LoggedEvent[] = [];
  #resourceVersion = 100;
  #oldestUsable = 0;
  #uids = 0;
  readonly requests: FakeRequest[] = [];
  /** Answers given instead of the right ones, one each, in order. */
  readonly faults: ((verb: FakeRequest['verb'], response: ServerResponse) => boolean)[] = [];
  /** New watches are answered with 200 and then with nothing. */
  muteNew = false;
  /** Whether a short watch (a probe) is mute as well, when new ones are. */
  muteShort = true;

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.keepAliveTimeout = 0;
  }

  static async start(clock: Clock = systemClock): Promise<FakeApiServer> {
    const fake = new FakeApiServer(clock);
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the fake does not listen');
    return address.port;
  }

  kubeConfig(): KubeConfig {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'fake', server: `http://127.0.0.1:${this.port}`, skipTLSVerify: true },
      { name: 'tester', token: 'secret' },
    );
    return kubeConfig;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    for (const watch of this.#watches) watch.cancel();
    await once(this.#server, 'close');
  }

  /** The next requests of this verb are answered with a Status, as often as said. */
  refuse(
    verb: FakeRequest['verb'],
    code: number,
    reason: string,
    options: { times?: number; headers?: Record<string, string> } = {},
  ): void {
    for (let time = 0; time < (options.times ?? 1); time++) {
      this.faults.push((asked, response) => {
        if (asked === verb) sendStatus(response, code, reason, options.headers);
        return asked === verb;
      });
    }
  }

  get resourceVersion(): string {
    return String(this.#resourceVersion);
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  count(verb: FakeRequest['verb']): number {
    return this.requests.filter((request) => request.verb === verb).length;
  }

  objects(): FakeObject[] {
    return [...this.#objects.values()];
  }

  /** Creates or updates; what is in `content` replaces the rest of the object, metadata aside. */
  put(name: string, content: Record<string, unknown> = {}): FakeObject {
    const before = this.#objects.get(name);
    const metadata = {
      name,
      namespace: 'robots',
      uid: before?.metadata.uid ?? `uid-${++this.#uids}`,
      resourceVersion: String(++this.#resourceVersion),
    };
    const object = { metadata, ...content };
    this.#objects.set(name, object);
    this.#emit({ type: before === undefined ? 'ADDED' : 'MODIFIED', resourceVersion: this.#resourceVersion, object });
    return object;
  }

  delete(name: string): void {
    const before = this.#objects.get(name);
    if (before === undefined) return;
    this.#objects.delete(name);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(++this.#resourceVersion) } };
    this.#emit({ type: 'DELETED', resourceVersion: this.#resourceVersion, object });
  }

  /** Sends to every open watch, as it is. */
  sendLine(line: string): void {
    for (const watch of this.#watches) write(watch, `${line}\n`);
  }

  bookmark(): void {
    this.sendLine(
      JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: this.resourceVersion } } }),
    );
  }

  sendError(code: number, reason: string): void {
    this.sendLine(JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, reason, message: reason } }));
  }

  /** Ends open watches the way a time-out does. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** Cuts the connections of open watches, half a line having been sent. */
  cutWatches(): void {
    for (const watch of this.#watches) {
      write(watch, '{"type":"ADDED","object":{"meta');
      watch.response.socket?.resetAndDestroy();
    }
  }

  muteWatches(): void {
    for (const watch of this.#watches) watch.muted = true;
  }

  /** Forgets history: a watch from before now, and every continue token, is answered with 410. */
  compact(): void {
    this.#log = [];
    this.#oldestUsable = this.#resourceVersion;
    this.#snapshots.clear();
  }

  /** As after a restore from a backup: the numbers start over, watches stay open and hear of nothing. */
  setBack(to: number): void {
    this.#log = [];
    this.#resourceVersion = to;
    this.#oldestUsable = 0;
    for (const [name, object] of this.#objects) {
      this.#objects.set(name, { ...object, metadata: { ...object.metadata, resourceVersion: String(to) } });
    }
  }

  #emit(event: LoggedEvent): void {
    this.#log.push(event);
    this.sendLine(JSON.stringify({ type: event.type, object: event.object }));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fake');
    const verb = request.method !== 'GET' ? 'OTHER' : url.searchParams.get('watch') === 'true' ? 'WATCH' : 'LIST';
    this.requests.push({
      verb,
      atMs: this.#clock.nowMs(),
      query: url.searchParams,
      clientPort: request.socket.remotePort ?? 0,
    });
    const fault = this.faults[0];
    if (fault?.(verb, response)) {
      this.faults.shift();
      return;
    }
    if (verb === 'WATCH') this.#watch(url.searchParams, response);
    else this.#list(url.searchParams, response);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const [token = '', from = '0'] = (query.get('continue') ?? '').split(':');
    if (token !== '' && !this.#snapshots.has(token)) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    const resourceVersion = token === '' ? this.resourceVersion : token;
    const all = this.#snapshots.get(token) ?? this.objects();
    const limit = Number(query.get('limit') ?? Number.POSITIVE_INFINITY);
    const end = Number(from) + limit;
    const more = end < all.length;
    if (more) this.#snapshots.set(resourceVersion, all);
    sendJson(response, 200, {
      kind: 'List',
      metadata: { resourceVersion, ...(more ? { continue: `${resourceVersion}:${end}` } : {}) },
      items: all.slice(Number(from), end),
    });
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.#oldestUsable) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    const seconds = Number(query.get('timeoutSeconds'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const muted = this.muteNew && (seconds > 60 || this.muteShort);
    // A short watch gets its bookmark two seconds before its end, like at the real server.
    const cancelBookmark = this.#clock.after((seconds - 2) * 1000, () => {
      const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: this.resourceVersion } } };
      if (from <= this.#resourceVersion) write(watch, `${JSON.stringify(bookmark)}\n`);
    });
    const cancelEnd = this.#clock.after(seconds * 1000, () => response.end());
    const watch: OpenWatch = {
      response,
      muted,
      cancel: () => {
        cancelBookmark();
        cancelEnd();
      },
    };
    this.#watches.add(watch);
    response.on('close', () => {
      watch.cancel();
      this.#watches.delete(watch);
    });
    if (muted) return;
    for (const event of this.#log) {
      if (event.resourceVersion > from)
        response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
    }
  }
}

function write({ response, muted }: OpenWatch, text: string): void {
  if (!muted && !response.writableEnded) response.write(text);
}

function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  headers: Record<string, string> = {},
): void {
  sendJson(response, code, { kind: 'Status', code, reason, message: `the fake says ${reason}` }, headers);
}

function sendJson(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
