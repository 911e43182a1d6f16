/** The probe's attachments to libraries that watched processes have mapped: OpenSSL, for its handshakes. One for each file. */
import { type LibsslPlan, planLibssl } from '../../gobin/index.ts';
import { type MappedFile, mappedLibssl, openFileReader } from '../../host/index.ts';
import { type AttachRequest, type ProbeClient, ProbeError } from '../../host/probe/index.ts';
import type { MissingSignals } from './types.ts';

type Attached = { readonly id: string } | { readonly id: null; readonly missing: MissingSignals };

export class Libraries {
  readonly #probe: ProbeClient;
  /** By file; `id` is null where nothing can be attached. */
  readonly #files = new Map<string, { attached: Attached; pids: Set<number> }>();
  #nextId = 1;

  constructor(probe: ProbeClient) {
    this.#probe = probe;
  }

  /** Attaches to what the process has mapped now. A library that cannot be watched is left alone: no other signal needs it. */
  async use(pid: number): Promise<void> {
    for (const file of mappedLibssl(pid)) {
      const key = `${file.device}:${file.inode}`;
      const known = this.#files.get(key) ?? { attached: await this.#attach(file), pids: new Set() };
      known.pids.add(pid);
      this.#files.set(key, known);
    }
  }

  async leave(pid: number): Promise<void> {
    for (const [key, { attached, pids }] of this.#files) {
      if (!pids.delete(pid) || pids.size > 0) continue;
      this.#files.delete(key);
      if (attached.id !== null) await this.#probe.detach(attached.id);
    }
  }

  /** Handshakes of this process that are not seen, though it has mapped the library. */
  missingOf(pid: number): MissingSignals[] {
    return [...this.#files.values()].flatMap(({ attached, pids }) =>
      attached.id === null && pids.has(pid) ? [attached.missing] : [],
    );
  }

  async #attach(file: MappedFile): Promise<Attached> {
    try {
      using reader = openFileReader(file.path);
      const plan = planLibssl(reader);
      if (plan.kind !== 'ok') return unseen(plan.reason, plan.message);
      const id = `lib${this.#nextId++}`;
      await this.#probe.attach(libsslRequest(id, file.path, plan));
      return { id };
    } catch (error) {
      // Replaced, unreadable, or refused by the kernel.
      return unseen(error instanceof ProbeError ? error.code : 'unreadable', `${file.path}: ${text(error)}`);
    }
  }
}

function unseen(reason: string, message: string): Attached {
  return { id: null, missing: { signals: ['network.openssl'], reason, message } };
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The order to watch a library's handshakes. */
export function libsslRequest(id: string, file: string, { offset, bytes }: LibsslPlan): AttachRequest {
  return {
    id,
    file,
    points: [
      { point: 'sslEntry', offset, bytes },
      { point: 'sslReturn', offset, bytes },
    ],
  };
}
