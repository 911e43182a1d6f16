import { defaultPrefix } from './capture.ts';
import { fetchBounded } from './fetch.ts';
import { httpTransport } from './transport.ts';
import {
  CaptureError,
  type CaptureErrorCode,
  defaultCaptureLimits,
  type PprofTarget,
  type PprofTransport,
  type ReachCandidate,
  type Way,
} from './types.ts';

export interface ReachFailure {
  readonly way: Way;
  readonly where: string;
  readonly code: CaptureErrorCode;
  readonly message: string;
}

/** `target` is absent when no way works; `failures` are the ways tried before, in order. */
export interface Reached {
  readonly target?: PprofTarget;
  readonly failures: readonly ReachFailure[];
}

export interface ReachOptions {
  readonly prefix?: string;
  readonly connectTimeoutMs?: number;
  /** Whole check of one way. Default 8 s. */
  readonly timeoutMs?: number;
  /** Host header, default `127.0.0.1`. */
  readonly host?: string;
  /** Arguments of the process that is meant, as in /proc/PID/cmdline: another process's pprof on the same port is refused. */
  readonly expectArguments?: readonly string[];
}

/** Least privilege first, whatever order the candidates come in. */
const privilege: readonly Way[] = ['direct', 'port-forward', 'network-namespace'];

/**
 * Finds the way with the least privilege on which a pprof endpoint answers.
 * @throws only what `signal` was aborted with
 */
export async function reach(
  candidates: readonly ReachCandidate[],
  signal: AbortSignal,
  options: ReachOptions = {},
): Promise<Reached> {
  const {
    prefix = defaultPrefix,
    host = '127.0.0.1',
    connectTimeoutMs = defaultCaptureLimits.connectTimeoutMs,
  } = options;
  const failures: ReachFailure[] = [];
  const ordered = candidates.toSorted((a, b) => privilege.indexOf(a.way) - privilege.indexOf(b.way));
  for (const { way, where, connect } of ordered) {
    signal.throwIfAborted();
    const transport = httpTransport(connect, { host, connectTimeoutMs });
    try {
      await greet(transport, prefix, signal, options);
      return { target: { transport, way, where, prefix }, failures };
    } catch (error) {
      signal.throwIfAborted();
      const code = error instanceof CaptureError ? error.code : 'protocol';
      failures.push({ way, where, code, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { failures };
}

/** `/symbol` costs the process nothing and answers in one known line; `/cmdline` says whose pprof it is. */
async function greet(
  transport: PprofTransport,
  prefix: string,
  signal: AbortSignal,
  options: ReachOptions,
): Promise<void> {
  const get = async (path: string) => {
    const deadlineMs = options.timeoutMs ?? 8_000;
    const bytes = await fetchBounded(transport, {
      path: prefix + path,
      maxBytes: maxGreetingBytes,
      budget: { leftBytes: maxGreetingBytes },
      deadlineMs,
      signal,
    });
    return bytes.toString('utf8');
  };
  const symbol = await get('/symbol');
  if (!/^num_symbols: \d+\s*$/.test(symbol)) {
    throw new CaptureError(
      'wrong-content',
      `${prefix}/symbol answers, but not as net/http/pprof does: is this the right port?`,
    );
  }
  if (!options.expectArguments) return;
  const actual = (await get('/cmdline')).split('\0');
  if (actual.join('\0') !== options.expectArguments.join('\0')) {
    throw new CaptureError(
      'other-process',
      `the pprof there belongs to another process (${JSON.stringify(actual[0]?.slice(0, 100))}): give its own address`,
    );
  }
}

const maxGreetingBytes = 256 * 1024;
