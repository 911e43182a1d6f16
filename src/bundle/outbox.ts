import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { atomicFile, removePartials, syncFile, syncFolder } from './atomic-file.ts';
import { Mutexes } from './mutex.ts';
import { isMissing } from './store-folder.ts';

const metaSchema = z.object({
  incident: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  sha256: z.string(),
  sizeBytes: z.number(),
  /** RFC 3339 UTC. */
  createdAt: z.string(),
});
export type OutboxMeta = z.infer<typeof metaSchema>;

export interface OutboxItem extends OutboxMeta {
  readonly id: string;
  /** Path of the bundle. */
  readonly file: string;
}

/** The outbox holds as much as it may. The capture is lost unless something is acknowledged; say so in the incident's status. */
export class OutboxFullError extends Error {
  readonly code = 'outbox-full';
  constructor(neededBytes: number, heldBytes: number, budgetBytes: number) {
    super(
      `the outbox holds ${heldBytes} of ${budgetBytes} bytes, ${neededBytes} more do not fit; is the operator reachable from this node?`,
    );
    this.name = 'OutboxFullError';
  }
}

/**
 * Bundles on the agent's disk until the operator has acknowledged them; survives a crash and a restart.
 *
 * Decision when the budget is used up: the newest bundle is refused, never an older one deleted. Incidents already name the
 * older ones, and the first bundle of a storm tells more than the hundredth; a refusal is seen at once by the one who could act,
 * a silent deletion by nobody.
 */
export class Outbox {
  readonly #folder: string;
  readonly #budgetBytes: number;
  readonly #mutexes = new Mutexes();

  private constructor(folder: string, budgetBytes: number) {
    this.#folder = folder;
    this.#budgetBytes = budgetBytes;
  }

  /** Creates the folder (0700) when missing and clears what a crash left half-written. */
  static async open(folder: string, options: { budgetBytes: number }): Promise<Outbox> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removePartials(folder);
    const names = new Set(await readdir(folder));
    for (const name of names) {
      const orphan = name.endsWith('.tar.gz') && !names.has(`${name.slice(0, -'.tar.gz'.length)}.json`);
      if (orphan) await rm(join(folder, name), { force: true });
    }
    return new Outbox(folder, options.budgetBytes);
  }

  /**
   * Takes over a finished bundle: `file`, on the same file system, is moved in. Durable when this returns.
   * The same bundle of the same incident again is a success and is not kept twice.
   * @throws OutboxFullError, leaving `file` where it is
   */
  async put(meta: OutboxMeta, file: string): Promise<OutboxItem> {
    return await this.#mutexes.run('put', async () => {
      const id = idOf(meta);
      const held = await this.pending();
      const same = held.find((item) => item.id === id);
      if (same) {
        await rm(file, { force: true });
        return same;
      }
      const heldBytes = held.reduce((sum, item) => sum + item.sizeBytes, 0);
      const { size } = await stat(file);
      if (heldBytes + size > this.#budgetBytes) throw new OutboxFullError(size, heldBytes, this.#budgetBytes);
      await syncFile(file);
      await rename(file, this.#bundle(id));
      await syncFolder(this.#folder);
      // The description makes it count: without it, `open` sees a left-over.
      await atomicFile(this.#meta(id), (handle) => handle.writeFile(`${JSON.stringify(meta)}\n`));
      return { ...meta, id, file: this.#bundle(id) };
    });
  }

  /** Everything not yet acknowledged, oldest first. */
  async pending(): Promise<readonly OutboxItem[]> {
    const items: OutboxItem[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith('.json')) continue;
      const id = name.slice(0, -'.json'.length);
      const meta = await readMeta(this.#meta(id));
      if (meta) items.push({ ...meta, id, file: this.#bundle(id) });
    }
    return items.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || (a.id < b.id ? -1 : 1));
  }

  /** The operator has it: forget it. No error when it is already gone. */
  async acknowledge(id: string): Promise<void> {
    if (!/^[0-9a-z.-]+$/i.test(id)) return;
    await rm(this.#meta(id), { force: true });
    await rm(this.#bundle(id), { force: true });
    await syncFolder(this.#folder);
  }

  #bundle(id: string): string {
    return join(this.#folder, `${id}.tar.gz`);
  }

  #meta(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

/** The digest in the name makes a second capture of one incident an item of its own. */
function idOf(meta: OutboxMeta): string {
  const uid = meta.incident.uid.replace(/[^0-9a-zA-Z-]/g, '').slice(0, 64);
  return `${uid}.${meta.sha256.slice(0, 16)}`;
}

async function readMeta(file: string): Promise<OutboxMeta | undefined> {
  try {
    return metaSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    // Acknowledged while we looked, or damaged: neither can be sent.
    if (isMissing(error) || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
