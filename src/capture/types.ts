import type { Duplex } from 'node:stream';

/** The profiles that can be asked for; the names are those of `net/http/pprof` (`cpu` is its `/profile`). */
export const profileKinds = ['cpu', 'heap', 'allocs', 'goroutine', 'trace', 'mutex', 'block'] as const;
export type ProfileKind = (typeof profileKinds)[number];

/** How a pprof endpoint was reached, in rising order of privilege (none, `pods/portforward`, SYS_ADMIN on the node). */
export type Way = 'direct' | 'port-forward' | 'network-namespace';

/** Opens one byte stream to the pprof port. Called once a request; the caller destroys the stream. */
export type DuplexFactory = (signal: AbortSignal) => Promise<Duplex>;

export interface PprofResponse {
  readonly status: number;
  /** Lower-case names; repeated headers are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends normally only when the body arrived whole; throws CaptureError `truncated` otherwise. Must be consumed or returned from. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One way to speak HTTP to a pprof endpoint. Redirects are never followed. */
export interface PprofTransport {
  /** @param path absolute path with query, for example `/debug/pprof/profile?seconds=10` */
  get(path: string, signal: AbortSignal): Promise<PprofResponse>;
}

export interface PprofTarget {
  readonly transport: PprofTransport;
  readonly way: Way;
  /** Where it is, for people: `10.1.2.3:6060`, `pod robots/dispatch-0 port 6060`. */
  readonly where: string;
  /** Path prefix of the pprof handlers, without a slash at the end; default `/debug/pprof`. */
  readonly prefix?: string;
}

/** A way to try, see `reach`. */
export interface ReachCandidate {
  readonly way: Way;
  readonly where: string;
  readonly connect: DuplexFactory;
}

export interface CaptureLimits {
  /** Largest single profile as it comes over the wire. Default 64 MiB. */
  readonly maxProfileBytes: number;
  /** All profiles of one capture together. Default 192 MiB. */
  readonly maxTotalBytes: number;
  /** A gzip-ed profile may unpack to at most this. Default 256 MiB. */
  readonly maxUnpackedBytes: number;
  /** Time to connect. Default 5 s. */
  readonly connectTimeoutMs: number;
  /**
   * A dump of all stacks stops the world: 174 ms for 20,000 parked goroutines (Go 1.26, 2 cores), 9 µs each. Beyond this many the
   * dump is taken grouped by stack (debug=1), which does not stop it for long. Default 20,000.
   */
  readonly maxDumpGoroutines: number;
  /** Time a profile may take beyond its own duration. Default 20 s. */
  readonly graceMs: number;
}

export const defaultCaptureLimits: CaptureLimits = {
  maxProfileBytes: 64 * 1024 * 1024,
  maxTotalBytes: 192 * 1024 * 1024,
  maxUnpackedBytes: 256 * 1024 * 1024,
  connectTimeoutMs: 5_000,
  maxDumpGoroutines: 20_000,
  graceMs: 20_000,
};

export interface CapturedFile {
  /** Path inside the bundle: `profiles/cpu.pprof`, `profiles/trace.out`, `profiles/goroutine.txt`. */
  readonly name: string;
  readonly kind: ProfileKind;
  readonly bytes: Uint8Array;
  /** RFC 3339 UTC; the request was sent at `startedAt`, the last byte read at `endedAt`. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Where it came from: `GET /debug/pprof/profile?seconds=10 direct 127.0.0.1:6060`. */
  readonly source: string;
  /** Samples in a pprof profile, goroutines in a dump; absent for a trace. Zero is a valid, empty profile. */
  readonly samples?: number;
}

export interface CaptureFailure {
  readonly kind: ProfileKind;
  readonly code: CaptureErrorCode;
  readonly message: string;
}

export interface CaptureResult {
  readonly way: Way;
  readonly where: string;
  readonly startedAt: string;
  readonly endedAt: string;
  /** In the order of `profileKinds`. */
  readonly files: readonly CapturedFile[];
  readonly failures: readonly CaptureFailure[];
}

export type CaptureProgress =
  | { readonly kind: ProfileKind; readonly state: 'started' }
  | { readonly kind: ProfileKind; readonly state: 'receiving'; readonly receivedBytes: number }
  | { readonly kind: ProfileKind; readonly state: 'done'; readonly sizeBytes: number }
  | { readonly kind: ProfileKind; readonly state: 'failed'; readonly failure: CaptureFailure };

export interface CaptureRequest {
  readonly target: PprofTarget;
  readonly profiles: readonly ProfileKind[];
  /** Length of the CPU profile, the trace and the mutex and block deltas; rounded up to whole seconds, at least one. */
  readonly durationMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CaptureProgress) => void;
  readonly limits?: Partial<CaptureLimits>;
}

export type CaptureErrorCode =
  | 'aborted'
  | 'unreachable'
  | 'timeout'
  | 'protocol'
  | 'redirect'
  | 'not-found'
  | 'busy'
  | 'refused'
  | 'truncated'
  | 'too-big'
  | 'wrong-content'
  | 'other-process';

/** What went wrong while fetching a profile: the message says what happened, to what, and what to do. */
export class CaptureError extends Error {
  readonly code: CaptureErrorCode;
  constructor(code: CaptureErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CaptureError';
    this.code = code;
  }
}
