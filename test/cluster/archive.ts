import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';

/**
 * Container images without a container engine: a docker-archive of one layer, which containerd, Docker and kind all import.
 * The same input gives the same bytes: entries are sorted, times are zero, owners are root.
 */
export type LayerEntry =
  | { readonly path: string; readonly type: 'file'; readonly source: string; readonly mode: number }
  | { readonly path: string; readonly type: 'text'; readonly text: string; readonly mode: number }
  | { readonly path: string; readonly type: 'link'; readonly target: string }
  | { readonly path: string; readonly type: 'directory'; readonly mode: number };

export interface ImageConfig {
  readonly tag: string;
  readonly entrypoint: readonly string[];
  /** `uid:gid` */
  readonly user: string;
  readonly env?: readonly string[];
  readonly workingDir?: string;
}

/** Writes the archive; it appears under its name only when complete. */
export async function writeImageArchive(
  path: string,
  config: ImageConfig,
  entries: readonly LayerEntry[],
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const work = await mkdtemp(`${path}.`);
  try {
    const layer = join(work, 'layer.tar');
    await writeTar(layer, withDirectories(entries));
    const layerDigest = await sha256Of(layer);
    const configText = imageConfigJson(config, layerDigest);
    const configName = `${createHash('sha256').update(configText).digest('hex')}.json`;
    const layerName = `${layerDigest}.tar`;
    const manifest = JSON.stringify([{ Config: configName, RepoTags: [config.tag], Layers: [layerName] }]);
    const archive = join(work, 'image.tar');
    await writeTar(archive, [
      { path: layerName, type: 'file', source: layer, mode: 0o644 },
      { path: configName, type: 'text', text: configText, mode: 0o644 },
      { path: 'manifest.json', type: 'text', text: manifest, mode: 0o644 },
    ]);
    await rename(archive, path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** Adds the parents of every entry and sorts by path, parents first. */
export function withDirectories(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const all = new Map<string, LayerEntry>();
  for (const entry of entries) {
    const path = entry.path.replace(/^\/+/, '');
    all.set(path, { ...entry, path });
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
      if (!all.has(parent)) all.set(parent, { path: parent, type: 'directory', mode: 0o755 });
    }
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function imageConfigJson(config: ImageConfig, layerDigest: string): string {
  return JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      User: config.user,
      Env: ['PATH=/usr/bin:/bin', ...(config.env ?? [])],
      Entrypoint: config.entrypoint,
      WorkingDir: config.workingDir ?? '/',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: '1970-01-01T00:00:00Z' }],
  });
}

async function writeTar(path: string, entries: readonly LayerEntry[]): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(path));
  try {
    for (const entry of entries) await addEntry(tar, entry);
    tar.finalize();
  } catch (error) {
    tar.destroy();
    await written.catch(() => {}); // the first error is the one to tell
    throw error;
  }
  await written;
}

async function addEntry(tar: Pack, entry: LayerEntry): Promise<void> {
  const header = { name: entry.path, mtime: new Date(0), uid: 0, gid: 0 };
  switch (entry.type) {
    case 'file': {
      const { size } = await stat(entry.source);
      const sink = tar.entry({ ...header, mode: entry.mode, size });
      await pipeline(createReadStream(entry.source), sink);
      return;
    }
    case 'text':
      return addWhole(tar, { ...header, mode: entry.mode }, entry.text);
    case 'link':
      return addWhole(tar, { ...header, type: 'symlink', linkname: entry.target, mode: 0o777 }, '');
    case 'directory':
      return addWhole(tar, { ...header, name: `${entry.path}/`, type: 'directory', mode: entry.mode }, '');
  }
}

function addWhole(tar: Pack, header: Parameters<Pack['entry']>[0], text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, text, (error) => (error ? reject(error) : resolve()));
  });
}
