/** The probe's attachments to libraries that watched processes have mapped: OpenSSL, for its handshakes. One for each file. */
import { planLibssl } from '../../gobin/index.ts';
import { type MappedFile, mappedLibssl, openFileReader } from '../../host/index.ts';
import type { ProbeClient } from '../../host/probe/index.ts';

export class Libraries {
  readonly #probe: ProbeClient;
  /** By file; `id` is null where nothing can be attached. */
  readonly #files = new Map<string, { id: string | null; pids: Set<number> }>();
  #nextId = 1;

  constructor(probe: ProbeClient) {
    this.#probe = probe;
  }

  /** Attaches to what the process has mapped now. A library that cannot be watched is left alone: no other signal needs it. */
  async use(pid: number): Promise<void> {
    for (const file of mappedLibssl(pid)) {
      const key = `${file.device}:${file.inode}`;
      const known = this.#files.get(key) ?? { id: await this.#attach(file), pids: new Set() };
      known.pids.add(pid);
      this.#files.set(key, known);
    }
  }

  async leave(pid: number): Promise<void> {
    for (const [key, { id, pids }] of this.#files) {
      if (!pids.delete(pid) || pids.size > 0) continue;
      this.#files.delete(key);
      if (id !== null) await this.#probe.detach(id);
    }
  }

  async #attach(file: MappedFile): Promise<string | null> {
    try {
      using reader = openFileReader(file.path);
      const plan = planLibssl(reader);
      if (plan.kind !== 'ok') return null;
      const { offset, bytes } = plan;
      const id = `lib${this.#nextId++}`;
      await this.#probe.attach({
        id,
        file: file.path,
        points: [
          { point: 'sslEntry', offset, bytes },
          { point: 'sslReturn', offset, bytes },
        ],
      });
      return id;
    } catch {
      return null; // replaced, unreadable, or refused by the kernel
    }
  }
}
