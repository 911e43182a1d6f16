/** The way to the operator: its address, its certificate authority, our token. */
import { readFile } from 'node:fs/promises';
import { Agent, type Dispatcher } from 'undici';

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
  #dispatcher: Dispatcher | null = null;

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

  async dispatcher(): Promise<Dispatcher> {
    this.#dispatcher ??= new Agent({ connections: 1, connect: { timeout: 5_000, ...(await this.#trusted()) } });
    return this.#dispatcher;
  }

  /** One that nobody else uses, and that `renew` does not cut; whoever asked for it ends it. */
  async ownDispatcher(): Promise<Dispatcher> {
    return new Agent({ connect: await this.#trusted() });
  }

  renew(): void {
    const old = this.#dispatcher;
    this.#dispatcher = null;
    old?.destroy().catch(() => {});
  }

  async #trusted(): Promise<{ ca?: string }> {
    const { caFile } = this.#options;
    return caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') };
  }
}
