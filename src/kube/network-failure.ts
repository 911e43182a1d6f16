import { DeadlineExceeded } from './clock.ts';
import { KubeError } from './errors.ts';

/**
 * What a failed call rejects with: the reason of the caller's own abort as it is, a `KubeError` as it is, and anything that the network or
 * the HTTP client threw as `Timeout` or `Unreachable`, with the innermost cause in words.
 */
export function failureOf(call: string, error: unknown, callersSignal: AbortSignal): unknown {
  if (callersSignal.aborted) return callersSignal.reason;
  if (error instanceof KubeError) return error;
  if (error instanceof DeadlineExceeded) {
    return new KubeError({ code: 'Timeout', call, message: `no answer: ${error.message}`, cause: error });
  }
  const inner = innermost(error);
  return new KubeError({
    code: inner.code === 'ETIMEDOUT' ? 'Timeout' : 'Unreachable',
    call,
    message: inner.message,
    cause: error,
  });
}

function innermost(error: unknown): { code: string; message: string } {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    // Several addresses were tried and each failed; the first is as telling as any.
    const deeper: unknown = at instanceof AggregateError ? at.errors[0] : at.cause;
    if (!(deeper instanceof Error)) break;
    at = deeper;
  }
  if (!(at instanceof Error)) return { code: '', message: String(at) };
  const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
  return { code, message: code !== '' && !at.message.includes(code) ? `${at.message} (${code})` : at.message };
}
