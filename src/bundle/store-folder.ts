import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { atomicFile, syncFolder } from './atomic-file.ts';
import { append, chainStateSchema, emptyChain, expired, removeKeys } from './chain-index.ts';
import { Mutexes } from './mutex.ts';
import {
  type BundleStore,
  type ChainState,
  checkPolicyKey,
  type Retention,
  type StoredBundle,
  StoreError,
  splitKey,
} from './store.ts';

const indexName = '.chain.json';

/**
 * Bundles in a folder (a persistent volume): `namespace/policy/name.tar.gz` beside the chain's `.chain.json`, folders 0700, files 0600.
 * One writer at a time, which leader election ensures; within the process, puts to one chain queue up.
 * A bundle's file is written before the index lists it, so a crash in between leaves an unlisted file: it was never acknowledged,
 * nothing shows it, and the next put of that key replaces it.
 */
export class FolderStore implements BundleStore {
  readonly #root: string;
  readonly #now: () => number;
  readonly #mutexes = new Mutexes();

  /** @param root created when missing */
  constructor(root: string, now: () => number = Date.now) {
    this.#root = root;
    this.#now = now;
  }

  async put(
    key: string,
    content: Uint8Array | Readable,
    expected: { sha256: string; previous: string | null },
  ): Promise<StoredBundle> {
    const { policyKey } = splitKey(key);
    return await this.#mutexes.run(policyKey, async () => {
      const state = await this.chain(policyKey);
      const same = state.bundles.find((bundle) => bundle.key === key && bundle.sha256 === expected.sha256);
      if (same) {
        discard(content);
        return same;
      }
      const storedAt = new Date(this.#now()).toISOString();
      // Refuses before any byte is written.
      append(state, { key, ...expected, sizeBytes: 0, storedAt });
      await this.#makeFolder(policyKey);
      const sizeBytes = await writeChecked(this.#path(key), content, expected.sha256);
      const bundle: StoredBundle = { key, ...expected, sizeBytes, storedAt };
      await this.#writeIndex(policyKey, append(state, bundle));
      return bundle;
    });
  }

  async get(key: string): Promise<Readable> {
    const { policyKey } = splitKey(key);
    const { bundles } = await this.chain(policyKey);
    if (!bundles.some((bundle) => bundle.key === key)) throw notFound(key);
    try {
      return (await open(this.#path(key))).createReadStream();
    } catch (cause) {
      throw notFound(key, cause);
    }
  }

  async list(prefix: string): Promise<readonly StoredBundle[]> {
    const found: StoredBundle[] = [];
    for (const namespace of await foldersIn(this.#root)) {
      for (const policy of await foldersIn(join(this.#root, namespace))) {
        const policyKey = `${namespace}/${policy}`;
        if (policyKey.startsWith(prefix) || prefix.startsWith(`${policyKey}/`))
          found.push(...(await this.chain(policyKey)).bundles);
      }
    }
    const matching = found.filter((bundle) => bundle.key.startsWith(prefix));
    return matching.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  async remove(key: string): Promise<void> {
    const { policyKey } = splitKey(key);
    await this.#mutexes.run(policyKey, () => this.#removeKeys(policyKey, [key]));
  }

  async latest(policyKey: string): Promise<string | null> {
    return (await this.chain(policyKey)).head;
  }

  async chain(policyKey: string): Promise<ChainState> {
    const file = join(this.#root, checkPolicyKey(policyKey), indexName);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) return emptyChain;
      throw error;
    }
    try {
      return chainStateSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new StoreError(
        'index-damaged',
        `the index ${file} cannot be read; restore it or rebuild it from the bundles`,
        cause,
      );
    }
  }

  async prune(policyKey: string, keep: Retention): Promise<readonly string[]> {
    return await this.#mutexes.run(policyKey, async () => {
      const keys = expired(await this.chain(policyKey), keep, this.#now());
      await this.#removeKeys(policyKey, keys);
      return keys;
    });
  }

  /** The index first: a crash then leaves a file that nothing shows, never a listed bundle without its file. */
  async #removeKeys(policyKey: string, keys: readonly string[]): Promise<void> {
    const state = await this.chain(policyKey);
    const listed = keys.filter((key) => state.bundles.some((bundle) => bundle.key === key));
    if (listed.length === 0) return;
    await this.#writeIndex(policyKey, removeKeys(state, new Set(listed), new Date(this.#now()).toISOString()));
    for (const key of listed) await rm(this.#path(key), { force: true });
  }

  async #writeIndex(policyKey: string, state: ChainState): Promise<void> {
    const text = `${JSON.stringify(state, null, 2)}\n`;
    await atomicFile(join(this.#root, policyKey, indexName), (handle) => handle.writeFile(text));
  }

  async #makeFolder(policyKey: string): Promise<void> {
    const folder = join(this.#root, policyKey);
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return;
    await syncFolder(join(folder, '..'));
    await syncFolder(this.#root);
  }

  #path(key: string): string {
    return join(this.#root, key);
  }
}

async function writeChecked(file: string, content: Uint8Array | Readable, sha256: string): Promise<number> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await atomicFile(file, async (handle) => {
    const put = async (chunk: Uint8Array): Promise<void> => {
      hash.update(chunk);
      sizeBytes += chunk.length;
      await handle.writeFile(chunk);
    };
    if (content instanceof Uint8Array) await put(content);
    else for await (const chunk of content) await put(chunk);
    const actual = hash.digest('hex');
    if (actual !== sha256) {
      throw new StoreError(
        'digest-mismatch',
        `the bundle has sha256 ${actual}, expected ${sha256}: damaged on the way, send it again`,
      );
    }
  });
  return sizeBytes;
}

function discard(content: Uint8Array | Readable): void {
  if (!(content instanceof Uint8Array)) content.destroy();
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function notFound(key: string, cause?: unknown): StoreError {
  return new StoreError('not-found', `there is no bundle ${key} in this store`, cause);
}
