import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Clock } from './clock.ts';
import { KubeError } from './errors.ts';

/** What identifies us on one call. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** As `https.request` takes them: ca, cert, key, rejectUnauthorized, servername, agent. */
  readonly https: RequestOptions;
}

// Bound tokens are rotated long before they end and client-go looks once a minute; ten seconds cost one small read.
const REFRESH_MS = 10_000;

const tokenFileUser = z.object({ authProvider: z.object({ config: z.object({ tokenFile: z.string().min(1) }) }) });

/** Credentials of a kubeconfig, read again when they have aged or the server has refused them. */
export class CredentialSource {
  readonly #kubeConfig: KubeConfig;
  readonly #clock: Clock;
  #current: Promise<Credentials> | undefined;
  #readAtMs = 0;

  constructor(kubeConfig: KubeConfig, clock: Clock) {
    this.#kubeConfig = kubeConfig;
    this.#clock = clock;
  }

  current(): Promise<Credentials> {
    const now = this.#clock.nowMs();
    if (this.#current === undefined || now - this.#readAtMs >= REFRESH_MS) {
      this.#readAtMs = now;
      this.#current = this.#read();
      // A failed read is not kept: the next call tries again.
      this.#current.catch(() => this.invalidate());
    }
    return this.#current;
  }

  /** Makes the next call read afresh. */
  invalidate(): void {
    this.#current = undefined;
  }

  async #read(): Promise<Credentials> {
    const https: RequestOptions = {};
    try {
      await this.#kubeConfig.applyToHTTPSOptions(https);
      const headers = flatten(https);
      // client-node keeps a token for a minute and does not trim it; a header must not hold a line break.
      const user = tokenFileUser.safeParse(this.#kubeConfig.getCurrentUser());
      if (user.success) {
        headers.Authorization = `Bearer ${(await readFile(user.data.authProvider.config.tokenFile, 'utf8')).trim()}`;
      }
      return { headers, https };
    } catch (error) {
      const message = `the credentials cannot be read (${error instanceof Error ? error.message : String(error)}); check the kubeconfig or the mounted service account`;
      throw new KubeError({ code: 'BadConfig', call: 'credentials', message, cause: error });
    }
  }
}

function flatten(https: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(https.headers ?? {})) {
    if (value !== undefined) headers[name] = String(value);
  }
  if (typeof https.auth === 'string') headers.Authorization = `Basic ${Buffer.from(https.auth).toString('base64')}`;
  return headers;
}

export interface KubeConfigSource {
  readonly kubeConfig?: KubeConfig;
  readonly kubeconfigPath?: string;
  readonly inCluster?: boolean;
}

export function loadKubeConfig(source: KubeConfigSource): KubeConfig {
  if (source.kubeConfig !== undefined) return source.kubeConfig;
  const kubeConfig = new KubeConfig();
  try {
    if (source.kubeconfigPath !== undefined) kubeConfig.loadFromFile(source.kubeconfigPath);
    else if (source.inCluster === true) kubeConfig.loadFromCluster();
    else kubeConfig.loadFromDefault();
  } catch (error) {
    const where = source.kubeconfigPath ?? 'the default kubeconfig';
    const message = `${where} cannot be used (${error instanceof Error ? error.message : String(error)})`;
    throw new KubeError({ code: 'BadConfig', call: 'kubeconfig', message, cause: error });
  }
  return kubeConfig;
}
