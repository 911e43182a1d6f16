import { attestationPath, manifestPath } from './manifest.ts';
import { findProblems } from './problems.ts';
import { type BundleSource, scan } from './scan.ts';
import { type Bundle, BundleError, type BundleLimits } from './types.ts';

/**
 * Reads a bundle into memory: all of it, or only the files that `keep` names; every file is checked either way. The signature is not judged (see `verifyBundle`), everything else is.
 * @throws BundleError with the first problem's code
 */
export async function readBundle(
  source: BundleSource,
  limits: Partial<BundleLimits> = {},
  keep: (path: string) => boolean = () => true,
): Promise<Bundle> {
  const found = await scan(source, limits, keep);
  const { problems, manifest } = findProblems(found);
  const first = problems[0];
  if (first) throw new BundleError(first.code, first.message, first.path === undefined ? {} : { path: first.path });
  if (!manifest) throw new BundleError('manifest-missing', 'there is no manifest.json: not a robotgc bundle');
  const attestation = found.kept.get(attestationPath)?.toString('utf8');
  const files = new Map([...found.kept].filter(([path]) => path !== manifestPath && path !== attestationPath));
  return {
    sha256: found.sha256,
    sizeBytes: found.sizeBytes,
    manifest,
    files,
    ...(attestation === undefined ? {} : { attestation }),
  };
}
