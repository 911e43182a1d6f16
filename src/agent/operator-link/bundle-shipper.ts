/** Brings what is in the outbox to the operator, oldest first, until it is acknowledged; begins with what an earlier agent left. */
import { type Outbox, type OutboxItem, TransferError, uploadBundle } from '../../bundle/index.ts';
import type { Log, ObjectRef } from '../../kube/index.ts';
import { sleep } from '../sleep.ts';
import type { OperatorConnection } from './connection.ts';

export interface BundleShipperOptions {
  readonly outbox: Outbox;
  readonly connection: OperatorConnection;
  /** Whether the API server still knows the incident. */
  readonly isKnown: (incident: ObjectRef) => boolean;
  readonly log: Log;
  readonly onPending: (bundles: number) => void;
  readonly onShipped: () => void;
}

const lookAgainMs = 10_000;
/** One try, whole: 64 MiB at two a second. */
const tryMs = 40_000;
/** A refused bundle of an incident that is gone for so long is of use to nobody. */
const orphanMs = 15 * 60_000;

export class BundleShipper {
  readonly name = 'bundle-shipper';
  readonly #options: BundleShipperOptions;
  #wake = new AbortController();

  constructor(options: BundleShipperOptions) {
    this.#options = options;
  }

  /** There is something new. */
  wake(): void {
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const items = await this.#options.outbox.pending();
      this.#options.onPending(items.length);
      for (const item of items) {
        if (signal.aborted) return;
        await this.#ship(item, signal);
      }
      this.#options.onPending((await this.#options.outbox.pending()).length);
      await sleep(lookAgainMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
    }
  }

  async #ship(item: OutboxItem, signal: AbortSignal): Promise<void> {
    const { outbox, connection, log } = this.#options;
    const { namespace, name } = item.incident;
    try {
      await uploadBundle({
        url: connection.address(`/v1/bundles/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`),
        token: () => connection.token(),
        file: item.file,
        sha256: item.sha256,
        incident: item.incident,
        signal,
        tls: await connection.trusted(),
        retry: { tries: 12, maxWaitMs: 5_000, timeoutMs: tryMs },
        onRetry: (reason, waitMs) =>
          log.info({ incident: name, reason, waitMs: Math.round(waitMs) }, 'a bundle is sent again'),
      });
      await outbox.acknowledge(item.id);
      this.#options.onShipped();
      log.info({ incident: name, namespace, sha256: item.sha256, sizeBytes: item.sizeBytes }, 'bundle delivered');
    } catch (error) {
      if (signal.aborted) return;
      await this.#undelivered(item, error);
    }
  }

  async #undelivered(item: OutboxItem, error: unknown): Promise<void> {
    const { outbox, isKnown, log } = this.#options;
    const rejected = error instanceof TransferError && error.code === 'rejected';
    const orphan = !isKnown(item.incident) && Date.now() - Date.parse(item.createdAt) > orphanMs;
    if (rejected && orphan) {
      await outbox.acknowledge(item.id);
      log.warn({ err: error, incident: item.incident.name }, 'a bundle is given up: its incident is gone');
      return;
    }
    log.warn({ err: error, incident: item.incident.name }, 'a bundle could not be delivered; it stays in the outbox');
  }
}
