/**
 * What was written into which process, and what stood there before: on the node's disk, written before the process is touched. So an agent that
 * was killed in between knows its own value again, and the way back, even where policy and annotation have gone meanwhile.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { atomicFile } from '../../bundle/index.ts';
import type { ProcessIdentity } from '../../host/index.ts';

const Settings = z.object({ gcPercent: z.int(), memoryLimitBytes: z.int().nullable() });

const LedgerEntry = z.object({
  pid: z.int(),
  startTicks: z.int(),
  containerId: z.string(),
  /** Before our first write. */
  original: Settings,
  /** What we wrote or were about to write, the newest last. */
  ours: z.array(Settings),
  onDelete: z.enum(['Revert', 'Keep']),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

const LedgerFile = z.object({
  /** Numbers and start times of processes begin anew with each boot. */
  boot: z.string(),
  entries: z.array(LedgerEntry),
});

export class LiveLedger {
  readonly #file: string;
  readonly #boot: string;
  readonly #entries: Map<string, LedgerEntry>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, boot: string, entries: Map<string, LedgerEntry>) {
    this.#file = file;
    this.#boot = boot;
    this.#entries = entries;
  }

  /** @param boot the node's boot id */
  static async open(file: string, boot: string): Promise<LiveLedger> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    const known = text === undefined ? undefined : LedgerFile.parse(JSON.parse(text));
    const entries = known?.boot === boot ? known.entries : [];
    return new LiveLedger(file, boot, new Map(entries.map((entry) => [keyOf(entry), entry])));
  }

  get containerIds(): ReadonlySet<string> {
    return new Set([...this.#entries.values()].map(({ containerId }) => containerId));
  }

  ofContainer(containerId: string): LedgerEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.containerId === containerId);
  }

  of(process: ProcessIdentity): LedgerEntry | undefined {
    return this.#entries.get(keyOf(process));
  }

  /** Resolves once it is on disk. */
  async write(entry: LedgerEntry): Promise<void> {
    this.#entries.set(keyOf(entry), entry);
    await this.#save();
  }

  async forget(process: ProcessIdentity): Promise<void> {
    if (this.#entries.delete(keyOf(process))) await this.#save();
  }

  #save(): Promise<void> {
    const text = JSON.stringify({ boot: this.#boot, entries: [...this.#entries.values()] });
    const save = () => atomicFile(this.#file, (handle) => handle.writeFile(text));
    // One after the other, so that an older state never replaces a newer one.
    this.#writing = this.#writing.then(save, save);
    return this.#writing;
  }
}

function keyOf({ pid, startTicks }: ProcessIdentity): string {
  return `${pid}-${startTicks}`;
}
