/** The way to the operator: its address, its certificate authority, our token. */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { Tls } from '../../http/index.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly tokenFile: string;
  readonly caFile: string | undefined;
}

/**
 * A Service spreads connections over replicas of which one leads. `renew` drops the connections in use: the next one may lead elsewhere.
 * A rotated certificate authority is read with the next renewal.
 */
export class OperatorConnection {
  readonly #options: ConnectionOptions;
  #kept: { readonly agent: http.Agent; readonly tls: Tls } | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  address(path: string): string {
    return `${this.#options.url.replace(/\/+$/, '')}${path}`;
  }

  /** Read anew each time: the kubelet replaces a projected token long before it expires. */
  async token(): Promise<string> {
    return (await readFile(this.#options.tokenFile, 'utf8')).trim();
  }

  /** The one connection for all that is sent each second. */
  async kept(): Promise<{ readonly agent: http.Agent; readonly tls: Tls }> {
    if (!this.#kept) {
      const { Agent } = this.#options.url.startsWith('https:') ? https : http;
      this.#kept = { agent: new Agent({ keepAlive: true, maxSockets: 1 }), tls: await this.trusted() };
    }
    return this.#kept;
  }

  renew(): void {
    this.#kept?.agent.destroy();
    this.#kept = null;
  }

  async trusted(): Promise<Tls> {
    const { caFile } = this.#options;
    return caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') };
  }
}
