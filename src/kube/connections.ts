import http from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Tls } from '../http/index.ts';
import type { Credentials } from './credentials.ts';

/** The API server closes idle connections only after minutes; a minute here lets a reflector's probe find one open. */
const IDLE_MS = 75_000;
const MAX_SHARED = 32;

/** Which connection a request goes over, and the TLS material of a new one: those under other material are not used for it. */
export interface Way {
  readonly agent: http.Agent;
  readonly tls: Tls;
}

/** Connections to the API server: shared ones for calls, and one each for streams. */
export class ConnectionPool {
  readonly #isProxied: boolean;
  readonly #shared: http.Agent;
  /** No keep-alive: every stream dials, so that it never inherits a connection that has died unnoticed. */
  readonly #own: http.Agent;

  constructor(kubeConfig: KubeConfig) {
    const cluster = kubeConfig.getCurrentCluster();
    const { Agent } = cluster?.server.startsWith('https:') === true ? https : http;
    this.#isProxied = Boolean(cluster?.proxyUrl);
    this.#shared = new Agent({ keepAlive: true, maxSockets: MAX_SHARED, timeout: IDLE_MS });
    this.#own = new Agent();
  }

  for({ https: { agent, ...material } }: Credentials, kind: 'own' | 'shared'): Way {
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = material;
    const all = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
    const tls: Tls = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    // client-node's agents know proxies of all kinds, and dial for each request.
    if (this.#isProxied && typeof agent === 'object') return { agent, tls };
    return { agent: kind === 'own' ? this.#own : this.#shared, tls };
  }

  /** Cuts those in use too. */
  close(): void {
    this.#shared.destroy();
    this.#own.destroy();
  }
}
