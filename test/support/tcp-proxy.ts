import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How bytes pass: all, none while connections stay open (as when a firewall forgets a flow), or late. */
export type ProxyMode =
  | { readonly kind: 'pass' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'delay'; readonly ms: number };

/** A TCP proxy on loopback that can misbehave as networks do. TLS passes through untouched. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #pairs = new Set<Pair>();
  #newMode: ProxyMode = { kind: 'pass' };
  #refusing = false;
  accepted = 0;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  get open(): number {
    return this.#pairs.size;
  }

  /** For the connections of now; new ones pass. */
  silenceOpen(): void {
    for (const pair of this.#pairs) pair.mode = { kind: 'silent' };
  }

  /** For the connections of now and those to come. */
  set(mode: ProxyMode): void {
    this.#newMode = mode;
    for (const pair of this.#pairs) pair.mode = mode;
  }

  /** Resets the connections of now. */
  cut(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  /** New connections are reset at once. */
  refuse(on: boolean): void {
    this.#refusing = on;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.accepted++;
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, connect(this.#target), this.#newMode, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }
}

class Pair {
  mode: ProxyMode;
  readonly #client: Socket;
  readonly #server: Socket;

  constructor(client: Socket, server: Socket, mode: ProxyMode, onGone: () => void) {
    this.mode = mode;
    this.#client = client;
    this.#server = server;
    client.setNoDelay(true);
    server.setNoDelay(true);
    this.#pipe(client, server);
    this.#pipe(server, client);
    let left = 2;
    for (const socket of [client, server]) {
      // A reset is what this proxy is for; the close that follows is what counts.
      socket.on('error', () => {});
      socket.on('close', () => --left === 0 && onGone());
    }
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #pipe(from: Socket, to: Socket): void {
    from.on('data', (chunk) => this.#later(() => !to.destroyed && to.write(chunk)));
    // Neither end hears of the other's going while the way between them is dead.
    from.on('end', () => this.#later(() => !to.destroyed && to.end()));
    from.on('close', (hadError) => hadError && this.#later(() => !to.destroyed && to.resetAndDestroy()));
  }

  #later(act: () => unknown): void {
    if (this.mode.kind === 'pass') act();
    else if (this.mode.kind === 'delay') setTimeout(act, this.mode.ms);
  }
}
