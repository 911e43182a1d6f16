import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Credentials } from './credentials.ts';
import { KubeError } from './errors.ts';

/** The API server closes idle connections only after minutes; a minute here lets a reflector's probe find one open. */
const IDLE_MS = 75_000;
const CONNECT_MS = 10_000;
const MAX_SHARED = 32;

/** Connections under one set of TLS material: shared ones for calls, and one each for streams. */
export interface Connections {
  readonly shared: Dispatcher;
  /** No keep-alive: every stream dials, so that it never inherits a connection that has died unnoticed. */
  readonly own: Dispatcher;
}

/** Hands out the connections that fit the present credentials; after a rotation the old ones end when their last answer has. */
export class ConnectionPool {
  readonly #kubeConfig: KubeConfig;
  #fingerprint: string | undefined;
  #connections: Connections | undefined;
  readonly #retired = new Set<Promise<void>>();

  constructor(kubeConfig: KubeConfig) {
    this.#kubeConfig = kubeConfig;
  }

  for(credentials: Credentials): Connections {
    if (this.#connections === undefined || this.#fingerprint !== credentials.tlsFingerprint) {
      this.#retire();
      this.#connections = { shared: this.#dial(credentials, 1), own: this.#dial(credentials, 0) };
      this.#fingerprint = credentials.tlsFingerprint;
    }
    return this.#connections;
  }

  async close(): Promise<void> {
    const last = this.#connections;
    this.#connections = undefined;
    await Promise.all([last?.shared.destroy(), last?.own.destroy()]);
  }

  #retire(): void {
    for (const dispatcher of [this.#connections?.shared, this.#connections?.own]) {
      if (dispatcher === undefined) continue;
      const closing = dispatcher
        .close()
        .catch(() => {})
        .finally(() => this.#retired.delete(closing));
      this.#retired.add(closing);
    }
  }

  #dial(credentials: Credentials, pipelining: 0 | 1): Dispatcher {
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = credentials.https;
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const found = this.#kubeConfig.createDispatcherOptions(this.#kubeConfig.getCurrentCluster(), tls);
    const connect = { ...tls, timeout: CONNECT_MS, keepAlive: true, keepAliveInitialDelay: 30_000 };
    const common = {
      allowH2: false,
      pipelining,
      keepAliveTimeout: IDLE_MS,
      connections: pipelining === 0 ? null : MAX_SHARED,
      // Deadlines are kept by the transport, per call.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    switch (found.type) {
      case 'none':
      case 'agent':
        return new Agent({ ...common, connect });
      case 'proxy':
        return new ProxyAgent({ ...common, uri: found.uri, requestTls: connect, connect: { timeout: CONNECT_MS } });
      case 'socks':
        throw new KubeError({
          code: 'BadConfig',
          call: 'kubeconfig',
          message: 'SOCKS proxies are not supported; use an HTTP proxy in proxy-url',
        });
    }
  }
}
