import type { Readable } from 'node:stream';

/** A bundle that a store keeps, as its chain's index says. */
export interface StoredBundle {
  /** `namespace/policy/name.tar.gz`; the first two parts are the chain's key. */
  readonly key: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** sha256 of the bundle before it; null for the first of the chain. */
  readonly previous: string | null;
  /** RFC 3339 UTC. */
  readonly storedAt: string;
}

/** What is needed to verify a chain from which bundles were removed on purpose, see `verifyChain`. */
export interface ChainState {
  readonly bundles: readonly StoredBundle[];
  /** The last bundle removed from the front of the chain, and how many went with it. */
  readonly anchor: { readonly sha256: string; readonly removedCount: number; readonly removedAt: string } | null;
  /** Bundles removed from within the chain. */
  readonly removed: readonly (StoredBundle & { readonly removedAt: string })[];
  /** Digest of the newest bundle, also when that one was removed. */
  readonly head: string | null;
}

export interface Retention {
  /** At most so many bundles a chain. */
  readonly count?: number;
  readonly ageMs?: number;
}

/**
 * Keeps sealed bundles, chained per policy (`policyKey` = `namespace/policy`).
 * What the chain's index does not list does not exist: a half-finished `put` leaves nothing that `get` or `list` shows.
 */
export interface BundleStore {
  /**
   * Stores a bundle as the new end of its chain. Repeating a put with the same key and digest is a success.
   * @param expected the digest the bytes must have, and the `previous` that the bundle was sealed with
   * @throws StoreError `key-invalid`, `digest-mismatch`, `key-taken` (same key, other bytes), `chain-moved` (previous is not the
   * chain's newest bundle: read `latest` again and seal anew)
   */
  put(
    key: string,
    content: Uint8Array | Readable,
    expected: { sha256: string; previous: string | null },
  ): Promise<StoredBundle>;
  /** @throws StoreError `not-found` */
  get(key: string): Promise<Readable>;
  /** Of all chains whose keys begin with `prefix` (a path prefix, empty for all), sorted by key. */
  list(prefix: string): Promise<readonly StoredBundle[]>;
  /** Removes a bundle and records that it was removed, so that its chain stays verifiable. No error when it is not there. */
  remove(key: string): Promise<void>;
  /** The newest bundle's digest, which the next one must name as `previous`; null for a new chain. */
  latest(policyKey: string): Promise<string | null>;
  chain(policyKey: string): Promise<ChainState>;
  /** Removes the oldest bundles beyond the limits, never the newest one. @returns the removed keys */
  prune(policyKey: string, keep: Retention): Promise<readonly string[]>;
}

export type StoreErrorCode =
  | 'key-invalid'
  | 'digest-mismatch'
  | 'key-taken'
  | 'chain-moved'
  | 'not-found'
  | 'index-damaged';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}

/** RFC 1123 subdomain, as Kubernetes names namespaces and custom resources, so never hidden and never `..`. */
const namePattern = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const suffix = '.tar.gz';

/** @throws StoreError `key-invalid` */
export function splitKey(key: string): { policyKey: string; fileName: string } {
  const [namespace = '', policy = '', fileName = '', ...rest] = key.split('/');
  const stem = fileName.endsWith(suffix) ? fileName.slice(0, -suffix.length) : '';
  if (rest.length > 0 || !isName(namespace) || !isName(policy) || !isName(stem)) {
    throw new StoreError(
      'key-invalid',
      `bundle key ${JSON.stringify(key)} is not of the form namespace/policy/name.tar.gz`,
    );
  }
  return { policyKey: `${namespace}/${policy}`, fileName };
}

/** @throws StoreError `key-invalid` */
export function checkPolicyKey(policyKey: string): string {
  const [namespace = '', policy = '', ...rest] = policyKey.split('/');
  if (rest.length > 0 || !isName(namespace) || !isName(policy)) {
    throw new StoreError('key-invalid', `policy key ${JSON.stringify(policyKey)} is not of the form namespace/policy`);
  }
  return policyKey;
}

function isName(name: string): boolean {
  return namePattern.test(name) && !name.includes('..');
}
