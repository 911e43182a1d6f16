import { excerpt } from './check.ts';
import { CaptureError, type CaptureErrorCode, type PprofResponse, type PprofTransport } from './types.ts';

/** Bytes that all profiles of one capture may still take. */
export interface ByteBudget {
  leftBytes: number;
}

export interface FetchRequest {
  readonly path: string;
  readonly maxBytes: number;
  readonly budget: ByteBudget;
  /** Connection, waiting and transfer together. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly onBytes?: (receivedBytes: number) => void;
}

/**
 * One GET within a size and a time. @throws CaptureError
 */
export async function fetchBounded(transport: PprofTransport, request: FetchRequest): Promise<Buffer> {
  const deadline = AbortSignal.timeout(request.deadlineMs);
  const signal = AbortSignal.any([request.signal, deadline]);
  try {
    const response = await transport.get(request.path, signal);
    if (response.status !== 200) throw await refusal(response, request.path);
    const encoding = response.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      await discard(response.body);
      throw new CaptureError(
        'protocol',
        `the server answered with content-encoding ${excerpt(Buffer.from(encoding))}, which was not asked for`,
      );
    }
    return await readBounded(response.body, request);
  } catch (error) {
    if (request.signal.aborted) throw new CaptureError('aborted', 'the capture was stopped', error);
    if (deadline.aborted)
      throw new CaptureError('timeout', `no complete answer to ${request.path} within ${request.deadlineMs} ms`, error);
    throw error;
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>, request: FetchRequest): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let receivedBytes = 0;
  for await (const chunk of body) {
    receivedBytes += chunk.length;
    request.budget.leftBytes -= chunk.length;
    if (receivedBytes > request.maxBytes) throw tooBig('this profile', request.maxBytes, request, receivedBytes);
    if (request.budget.leftBytes < 0) throw tooBig('all profiles together', undefined, request, receivedBytes);
    parts.push(chunk);
    request.onBytes?.(receivedBytes);
  }
  return Buffer.concat(parts);
}

/** What is thrown away does not count against the others. */
function tooBig(
  what: string,
  limitBytes: number | undefined,
  request: FetchRequest,
  receivedBytes: number,
): CaptureError {
  request.budget.leftBytes += receivedBytes;
  const limit = limitBytes === undefined ? 'the capture may take' : `${limitBytes} bytes`;
  return new CaptureError('too-big', `${what} came to more than ${limit}: shorten the duration or raise the limit`);
}

async function refusal(response: PprofResponse, path: string): Promise<CaptureError> {
  const said = await firstBytes(response.body, 300);
  const { status } = response;
  const text = excerpt(said, 200);
  if (status >= 300 && status < 400) {
    return new CaptureError(
      'redirect',
      `${path} redirects (${status}), which is never followed: give the address of pprof itself`,
    );
  }
  if (status === 404)
    return new CaptureError('not-found', `there is no ${path} (404): is net/http/pprof served, under this prefix?`);
  const { code, hint } = explain(said.toString('latin1'));
  return new CaptureError(code, `${path} was refused: ${status} ${text}${hint}`);
}

/** Sentences of net/http/pprof, Go 1.22 to 1.26. */
const knownRefusals: readonly { readonly says: RegExp; readonly code: CaptureErrorCode; readonly hint: string }[] = [
  {
    says: /already (in use|enabled|active)/i,
    code: 'busy',
    hint: ': someone else is profiling; try again when they are done',
  },
  {
    says: /exceeds server's WriteTimeout/i,
    code: 'refused',
    hint: ": shorten the duration or raise the server's WriteTimeout",
  },
];

function explain(said: string): { code: CaptureErrorCode; hint: string } {
  return knownRefusals.find(({ says }) => says.test(said)) ?? { code: 'refused', hint: '' };
}

async function firstBytes(body: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    parts.push(chunk);
    size += chunk.length;
    if (size >= length) break;
  }
  return Buffer.concat(parts).subarray(0, length);
}

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of body) break;
}
