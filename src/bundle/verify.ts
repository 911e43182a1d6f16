import { publicKeyFromPem } from './keys.ts';
import { findProblems } from './problems.ts';
import { type BundleSource, scan } from './scan.ts';
import { BundleError, type BundleLimits, type Verification } from './types.ts';

/**
 * Checks a bundle, in constant memory, against its manifest and attestation, and its signature when a public key (PEM) is given.
 * Without a key a bundle that fits together is `ok` with signature `unchecked` or `none`.
 * Never throws for what is in the bundle; throws for a key that is none.
 */
export async function verifyBundle(
  source: BundleSource,
  options: { publicKey?: string; limits?: Partial<BundleLimits> } = {},
): Promise<Verification> {
  const publicKey = options.publicKey === undefined ? undefined : publicKeyFromPem(options.publicKey);
  try {
    const found = await scan(source, options.limits);
    const { problems, signature, manifest } = findProblems(found, publicKey);
    const { sha256, sizeBytes } = found;
    return { ok: problems.length === 0, problems, signature, sha256, sizeBytes, ...(manifest ? { manifest } : {}) };
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    const { code, message, path } = error;
    return {
      ok: false,
      problems: [path === undefined ? { code, message } : { code, message, path }],
      signature: 'none',
    };
  }
}
