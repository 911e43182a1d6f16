import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type ArchiveInput, type ArchiveOptions, writeArchive } from './archive-write.ts';
import { readableJson } from './canonical-json.ts';
import { sealEnvelope } from './dsse.ts';
import {
  attestationPath,
  formatVersion,
  type Manifest,
  type ManifestFile,
  type ManifestInput,
  manifestPath,
  manifestSchema,
} from './manifest.ts';
import { checkPath, comparePaths } from './paths.ts';
import { payloadType, statementText } from './statement.ts';
import { type BundleEntry, BundleError, type Content, type Signer, type WrittenBundle } from './types.ts';

export interface WriteOptions extends ArchiveOptions {
  /** Where the bundle goes; replaced whole or not at all. */
  readonly file: string;
  /** Signs at once, for bundles that no operator will seal (`robotgc capture --key`). */
  readonly sign?: Signer;
}

/**
 * Writes an unsealed bundle. The same entries and input give the same tar bytes, whatever the order of the entries.
 * @throws BundleError `unsafe-path`, `duplicate`, `manifest-invalid` (input that the manifest's schema refuses)
 */
export async function writeBundle(
  entries: readonly BundleEntry[],
  input: ManifestInput,
  options: WriteOptions,
): Promise<WrittenBundle> {
  const listed = await Promise.all(
    entries.map(async (entry) => ({ listing: await listEntry(entry), content: entry.content })),
  );
  listed.sort((a, b) => comparePaths(a.listing.path, b.listing.path));
  const manifest = checkManifest({
    ...input,
    formatVersion,
    previous: null,
    seal: null,
    files: listed.map(({ listing }) => listing),
  });
  const inputs: ArchiveInput[] = listed.map(({ listing, content }) => ({
    path: listing.path,
    sizeBytes: listing.sizeBytes,
    content,
  }));
  const all = [...inputs, ...controlFiles(manifest, options.sign)].sort((a, b) => comparePaths(a.path, b.path));
  const written = await writeArchive(options.file, all, options);
  return { file: options.file, ...written, manifest };
}

/** Manifest and, with a signer, attestation, as archive inputs. */
export function controlFiles(manifest: Manifest, sign?: Signer): ArchiveInput[] {
  const manifestBytes = Buffer.from(readableJson(manifest));
  const files = [{ path: manifestPath, sizeBytes: manifestBytes.length, content: manifestBytes }];
  if (!sign) return files;
  const digests = new Map(manifest.files.map((file) => [file.path, file.sha256]));
  digests.set(manifestPath, createHash('sha256').update(manifestBytes).digest('hex'));
  const envelope = sealEnvelope(payloadType, Buffer.from(statementText(manifest, digests)), sign.privateKey);
  const envelopeBytes = Buffer.from(envelope);
  return [...files, { path: attestationPath, sizeBytes: envelopeBytes.length, content: envelopeBytes }];
}

/** Size and digest of an entry, read as a stream. @throws BundleError `unsafe-path`, also for the names of the control files */
export async function listEntry(entry: BundleEntry): Promise<ManifestFile> {
  const { path, source, windowStart, windowEnd } = entry;
  checkPath(path);
  if (path === manifestPath || path === attestationPath) {
    throw new BundleError('unsafe-path', `${path} is written by the bundle itself: choose another name`, { path });
  }
  return {
    path,
    ...(await digestOf(entry.content)),
    source,
    ...(windowStart === undefined ? {} : { windowStart }),
    ...(windowEnd === undefined ? {} : { windowEnd }),
  };
}

export function checkManifest(candidate: unknown): Manifest {
  const result = manifestSchema.safeParse(candidate);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new BundleError(
    'manifest-invalid',
    `the bundle's manifest would be invalid: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

async function digestOf(content: Content): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  if (content instanceof Uint8Array) return { sha256: hash.update(content).digest('hex'), sizeBytes: content.length };
  let sizeBytes = 0;
  for await (const chunk of createReadStream(content.file)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
