/** The probe's attachments to libraries that watched processes have mapped: OpenSSL, for its handshakes. One for each file. */
import { type LibsslPlan, planLibssl } from '../../gobin/index.ts';
import { loadsLibraries, type MappedFile, mappedLibssl, openFileReader } from '../../host/index.ts';
import { type AttachRequest, type ProbeClient, ProbeError } from '../../host/probe/index.ts';
import { isProbeGone } from './progress.ts';
import type { MissingSignals } from './types.ts';

type Attached = { readonly id: string } | { readonly id: null; readonly missing: MissingSignals };

interface Library {
  readonly file: MappedFile;
  /** `id` is null where nothing can be attached. */
  readonly attached: Attached;
  readonly pids: Set<number>;
}

type LibraryProbe = Pick<ProbeClient, 'attach' | 'detach' | 'runs'>;

export class Libraries {
  readonly #probe: LibraryProbe;
  /** By file as the first process that uses it sees it. */
  readonly #known = new Map<string, Library>();
  /** Statically linked: they can load none. */
  readonly #complete = new Set<number>();
  #nextId = 1;
  #revision = 0;

  constructor(probe: LibraryProbe) {
    this.#probe = probe;
  }

  /**
   * Attaches to what the process has mapped now. A library that cannot be watched is left alone: no other signal needs it. Rejects only when
   * the probe itself has failed.
   */
  async use(pid: number): Promise<void> {
    if (!loadsLibraries(pid)) {
      this.#complete.add(pid);
      return;
    }
    await this.#useMapped(pid);
  }

  async #useMapped(pid: number): Promise<void> {
    for (const file of mappedLibssl(pid)) {
      const library = await this.#libraryOf(pid, file);
      if (!library.pids.has(pid)) this.#revision += 1;
      library.pids.add(pid);
    }
  }

  /** Again, for a process that may have loaded one since. */
  async look(pid: number): Promise<void> {
    if (!this.#complete.has(pid)) await this.#useMapped(pid);
  }

  async leave(pid: number): Promise<void> {
    this.#complete.delete(pid);
    for (const [key, { attached, pids }] of this.#known) {
      if (!pids.delete(pid)) continue;
      this.#revision += 1;
      if (pids.size > 0) continue;
      this.#known.delete(key);
      if (attached.id !== null) await this.#probe.detach(attached.id);
    }
  }

  /** Another number when what `missingOf` says may have changed. */
  get revision(): number {
    return this.#revision;
  }

  /** Handshakes of this process that are not seen, though it has mapped the library. */
  missingOf(pid: number): MissingSignals[] {
    return [...this.#known.values()].flatMap(({ attached, pids }) =>
      attached.id === null && pids.has(pid) ? [attached.missing] : [],
    );
  }

  async #libraryOf(pid: number, file: MappedFile): Promise<Library> {
    const key = `${file.device}:${file.inode}`;
    const known = this.#known.get(key) ?? (await this.#ofOtherMount(pid, file));
    if (known) return known;
    const library = { file, attached: await this.#attach(pid, file), pids: new Set<number>() };
    this.#known.set(key, library);
    return library;
  }

  /** On overlayfs each container shows the same file under a device number of its own; that it is the same, only the kernel can say. */
  async #ofOtherMount(pid: number, file: MappedFile): Promise<Library | undefined> {
    for (const library of this.#known.values()) {
      const { attached, pids } = library;
      if (library.file.inode !== file.inode || library.file.sizeBytes !== file.sizeBytes || attached.id === null)
        continue;
      if (pids.has(pid) || (await this.#probe.runs(pid, attached.id)) === true) return library;
    }
    return undefined;
  }

  async #attach(pid: number, file: MappedFile): Promise<Attached> {
    try {
      using reader = openFileReader(file.path);
      const plan = planLibssl(reader);
      if (plan.kind !== 'ok') return unseen(plan.reason, plan.message);
      const id = `lib${this.#nextId++}`;
      await this.#probe.attach(libsslRequest(id, file.path, plan));
      if ((await this.#probe.runs(pid, id)) !== false) return { id };
      await this.#probe.detach(id);
      return unseen('OTHER_FILE', `process ${pid} has another file loaded than what is at ${file.link} now`);
    } catch (error) {
      if (isProbeGone(error)) throw error;
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
export function libsslRequest(id: string, file: string, { offset, bytes, release }: LibsslPlan): AttachRequest {
  return {
    id,
    file,
    points: [
      { point: 'sslEntry', offset, bytes },
      { point: 'sslReturn', offset, bytes },
      { point: 'sslFree', ...release },
    ],
  };
}
