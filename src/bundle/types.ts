import type { KeyObject } from 'node:crypto';
import type { Manifest } from './manifest.ts';

/** Bytes at hand, or a file to be streamed (it must not change between being listed and being written). */
export type Content = Uint8Array | { readonly file: string };

/** One file to put into a bundle. */
export interface BundleEntry {
  /** Relative path, see `checkPath`: `profiles/cpu.pprof`, `signals.ndjson`, `snapshots/cgroup.json`. */
  readonly path: string;
  readonly content: Content;
  /** Where it came from, for people: `GET /debug/pprof/heap direct 10.1.2.3:6060`. */
  readonly source: string;
  /** RFC 3339 UTC: the window that the content speaks of. */
  readonly windowStart?: string;
  readonly windowEnd?: string;
}

/** An ed25519 private key, see `generateKeyPair` and `privateKeyFromPem`. */
export interface Signer {
  readonly privateKey: KeyObject;
}

export interface BundleLimits {
  /** Compressed size. Default 256 MiB. */
  readonly maxArchiveBytes: number;
  /** Sum of all files, unpacked. Default 512 MiB. */
  readonly maxTotalBytes: number;
  /** Largest single file, unpacked. Default 128 MiB. */
  readonly maxFileBytes: number;
  /** Default 256. */
  readonly maxFiles: number;
}

export const defaultBundleLimits: BundleLimits = {
  maxArchiveBytes: 256 * 1024 * 1024,
  maxTotalBytes: 512 * 1024 * 1024,
  maxFileBytes: 128 * 1024 * 1024,
  maxFiles: 256,
};

/** A bundle on disk. `sha256` is that of the whole file, as `sha256sum` prints it (lower-case hex). */
export interface WrittenBundle {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly manifest: Manifest;
}

/** A bundle in memory whose files all match its manifest. The signature, if any, is not judged: see `verifyBundle`. */
export interface Bundle {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly manifest: Manifest;
  /** Every listed file, by path; fewer when only some were asked for. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The text of `attestation.dsse.json`. */
  readonly attestation?: string;
}

/**
 * `none`: the bundle carries no attestation. `unchecked`: it carries one and no key was given.
 * `valid`/`invalid`: judged against the given key.
 */
export type SignatureState = 'none' | 'unchecked' | 'valid' | 'invalid';

export interface Problem {
  readonly code: BundleErrorCode;
  /** The file inside the bundle, where one is concerned. */
  readonly path?: string;
  readonly message: string;
}

export interface Verification {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly signature: SignatureState;
  readonly sha256?: string;
  readonly sizeBytes?: number;
  readonly manifest?: Manifest;
}

export type BundleErrorCode =
  | 'unreadable'
  | 'not-a-bundle'
  | 'truncated'
  | 'corrupt'
  | 'too-big'
  | 'unsafe-path'
  | 'unsafe-entry'
  | 'duplicate'
  | 'not-canonical'
  | 'manifest-missing'
  | 'manifest-invalid'
  | 'digest-mismatch'
  | 'file-missing'
  | 'file-unlisted'
  | 'unsigned'
  | 'attestation-invalid'
  | 'signature-invalid'
  | 'already-sealed'
  | 'chain-broken'
  | 'chain-fork'
  | 'chain-incomplete';

/** What is wrong with a bundle, or with what should become one. */
export class BundleError extends Error {
  readonly code: BundleErrorCode;
  readonly path?: string;
  constructor(code: BundleErrorCode, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BundleError';
    this.code = code;
    if (options.path !== undefined) this.path = options.path;
  }
}
