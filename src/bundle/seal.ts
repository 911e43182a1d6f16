import { type ArchiveFile, readArchive } from './archive-read.ts';
import { type ArchiveInput, type ArchiveOptions, writeArchive } from './archive-write.ts';
import { attestationPath, type Manifest, manifestPath } from './manifest.ts';
import { comparePaths } from './paths.ts';
import { findProblems } from './problems.ts';
import { open, scan } from './scan.ts';
import {
  type BundleEntry,
  BundleError,
  type BundleLimits,
  defaultBundleLimits,
  type Signer,
  type WrittenBundle,
} from './types.ts';
import { checkManifest, controlFiles, listEntry } from './write.ts';

export interface SealInput extends ArchiveOptions {
  /** Analysis, manifests of pod and owner, report: whatever the centre adds. May not replace what was captured. */
  readonly add: readonly BundleEntry[];
  /** sha256 of the bundle before this one in the policy's chain, null for the first: see `BundleStore.latest`. */
  readonly previous: string | null;
  readonly sign: Signer;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** Identity of the sealer, as in its Lease. */
  readonly by: string;
  /** Where the sealed bundle goes. */
  readonly file: string;
  readonly limits?: Partial<BundleLimits>;
}

/**
 * Closes a captured bundle: verifies it, adds files, records the digests of the captured file and of the previous bundle, signs.
 * Streams: memory does not grow with the profiles.
 * @param bundleFile path of an unsealed bundle; left as it is
 * @throws BundleError with what is wrong with the captured bundle, `already-sealed`, `duplicate`
 */
export async function seal(bundleFile: string, input: SealInput): Promise<WrittenBundle> {
  const captured = await scan(bundleFile, input.limits);
  const { problems, manifest } = findProblems(captured);
  const first = problems[0];
  if (first)
    throw new BundleError(
      first.code,
      `cannot seal: ${first.message}`,
      first.path === undefined ? {} : { path: first.path },
    );
  if (!manifest) throw new BundleError('manifest-missing', 'cannot seal: there is no manifest.json');
  if (manifest.seal)
    throw new BundleError('already-sealed', `this bundle was sealed at ${manifest.seal.at}; it cannot be sealed again`);

  const added = await Promise.all(
    input.add.map(async (entry) => ({ listing: await listEntry(entry), content: entry.content })),
  );
  const sealed = sealedManifest(
    manifest,
    added.map(({ listing }) => listing),
    captured.sha256,
    input,
  );
  const extra: ArchiveInput[] = added.map(({ listing, content }) => ({
    path: listing.path,
    sizeBytes: listing.sizeBytes,
    content,
  }));
  const limits = { ...defaultBundleLimits, ...input.limits };
  const old = readArchive(open(bundleFile), limits);
  const written = await writeArchive(input.file, merge(old, [...extra, ...controlFiles(sealed, input.sign)]), input);
  return { file: input.file, ...written, manifest: sealed };
}

function sealedManifest(
  manifest: Manifest,
  added: Manifest['files'],
  capturedSha256: string,
  input: SealInput,
): Manifest {
  const taken = new Set(manifest.files.map((file) => file.path));
  const clash = added.find((file) => taken.has(file.path));
  if (clash)
    throw new BundleError('duplicate', `${clash.path} was captured already; evidence is never replaced`, {
      path: clash.path,
    });
  return checkManifest({
    ...manifest,
    previous: input.previous,
    seal: { at: input.at, by: input.by, capturedSha256 },
    files: [...manifest.files, ...added].sort((a, b) => comparePaths(a.path, b.path)),
  });
}

/** Merges the captured files, which come in order, with the new ones; old manifest and attestation fall away. */
async function* merge(old: AsyncIterable<ArchiveFile>, extra: readonly ArchiveInput[]): AsyncGenerator<ArchiveInput> {
  const waiting = [...extra].sort((a, b) => comparePaths(a.path, b.path));
  for await (const file of old) {
    if (file.path === manifestPath || file.path === attestationPath) continue;
    while (waiting[0] && comparePaths(waiting[0].path, file.path) < 0) yield* waiting.splice(0, 1);
    yield file;
  }
  yield* waiting;
}
