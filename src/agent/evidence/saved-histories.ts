/** Heap histories on the node's disk: an agent that is started anew goes on with them, since hours cannot be looked at once more. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { atomicFile } from '../../bundle/index.ts';
import type { Log } from '../../kube/index.ts';
import { HeapHistory, SavedHeapHistory } from '../../model/index.ts';
import { sleep } from '../sleep.ts';

const SavedFile = z.record(z.string(), SavedHeapHistory);

const everyMs = 300_000;
/** Of a container that has not been seen since: it may be one whose pod is not known yet. */
const keptMs = 3_600_000;

export interface SavedHistoriesOptions {
  readonly file: string;
  /** By container. */
  readonly current: () => ReadonlyMap<string, HeapHistory>;
  readonly log: Log;
}

export class SavedHistories {
  readonly name = 'heap-histories';
  readonly #options: SavedHistoriesOptions;
  /** Of the agent before, and not asked for yet. */
  readonly #before: Map<string, SavedHeapHistory>;

  private constructor(options: SavedHistoriesOptions, before: Map<string, SavedHeapHistory>) {
    this.#options = options;
    this.#before = before;
  }

  static async open(options: SavedHistoriesOptions): Promise<SavedHistories> {
    const { file, log } = options;
    const before = await read(file).catch((error: unknown) => {
      log.warn({ err: error, file }, 'heap histories cannot be read; they begin anew');
      return {};
    });
    return new SavedHistories(options, new Map(Object.entries(before)));
  }

  /** What is known of the container, if only that it is new. To be called once for each. */
  begin(containerId: string): HeapHistory {
    const saved = this.#before.get(containerId);
    this.#before.delete(containerId);
    return new HeapHistory(saved);
  }

  /** Writes them down every five minutes, and at the end. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, signal).catch(() => {});
      await this.#save(Date.now()).catch((error: unknown) =>
        this.#options.log.warn({ err: error, file: this.#options.file }, 'heap histories cannot be written'),
      );
    }
  }

  async #save(nowMs: number): Promise<void> {
    for (const [id, { stretches }] of this.#before) {
      if (nowMs - (stretches.at(-1)?.endMs ?? 0) > keptMs) this.#before.delete(id);
    }
    const current = [...this.#options.current()].map(([id, history]) => [id, history.saved()] as const);
    const text = JSON.stringify(Object.fromEntries([...this.#before, ...current]));
    await atomicFile(this.#options.file, (handle) => handle.writeFile(text));
  }
}

async function read(file: string): Promise<z.infer<typeof SavedFile>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return SavedFile.parse(JSON.parse(text));
}
