import { z } from 'zod';
import { type Clock, deadline, pause } from './clock.ts';
import { isKubeError } from './errors.ts';
import { collectionPath, type Resource } from './resource.ts';
import type { Query, Transport } from './transport.ts';
import { parseWatchLine, wentBack } from './watch-event.ts';

/** What the server says about a watch that has been silent. */
export type Verdict =
  | { readonly type: 'vouched'; readonly resourceVersion: string | undefined }
  | { readonly type: 'betrayed'; readonly why: string }
  | { readonly type: 'expired' };

export interface ProbeRequest {
  readonly transport: Transport;
  readonly resource: Resource<unknown>;
  readonly namespace: string | undefined;
  readonly selectors: Query;
  readonly resourceVersion: string;
  /** Also ask for the present resource version, which shows a server whose history was set back: such a one is mute for good. */
  readonly thorough: boolean;
  readonly clock: Clock;
}

// The API server sends a bookmark two seconds before a watch's time-out, so five bring one in three.
const WATCH_SECONDS = 5;
const OPEN_MS = 6_000;
const WHOLE_MS = 12_000;
/** For an event that is on its way on the open watch too. */
const GRACE_MS = 1_000;

const listSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/**
 * Asks, beside the open watch, whether anything has happened since its last resource version. It runs on a shared connection: if that one is
 * dead as well, the probe fails, which costs no more than a new watch.
 */
export async function probe(request: ProbeRequest, signal: AbortSignal): Promise<Verdict> {
  const limit = deadline(request.clock, WHOLE_MS, signal);
  try {
    const verdict = await shortWatch(request, limit.signal);
    return verdict.type === 'vouched' && request.thorough
      ? await checkHistory(request, verdict, limit.signal)
      : verdict;
  } catch (error) {
    if (isKubeError(error, 'Gone')) return { type: 'expired' };
    // Alive, and asking for less: no reason to ask for more.
    if (isKubeError(error, 'TooManyRequests')) return { type: 'vouched', resourceVersion: undefined };
    return { type: 'betrayed', why: error instanceof Error ? error.message : String(error) };
  } finally {
    limit.cancel();
  }
}

async function shortWatch(request: ProbeRequest, signal: AbortSignal): Promise<Verdict> {
  const { resource, namespace, selectors, clock } = request;
  const path = collectionPath(resource, namespace);
  const query: Query = {
    ...selectors,
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: request.resourceVersion,
    timeoutSeconds: WATCH_SECONDS,
  };
  let resourceVersion: string | undefined;
  for await (const line of request.transport.stream(path, query, signal, {
    connection: 'shared',
    openTimeoutMs: OPEN_MS,
  })) {
    const event = parseWatchLine(`PROBE ${path}`, line);
    if (event.type === 'bookmark') {
      resourceVersion = event.resourceVersion ?? resourceVersion;
    } else if (event.type === 'error') {
      throw event.error;
    } else {
      await pause(clock, GRACE_MS, signal);
      return { type: 'betrayed', why: 'the server has events that the open watch did not bring' };
    }
  }
  return { type: 'vouched', resourceVersion };
}

async function checkHistory(request: ProbeRequest, verdict: Verdict, signal: AbortSignal): Promise<Verdict> {
  const path = collectionPath(request.resource, request.namespace);
  const raw = await request.transport.json({
    method: 'GET',
    path,
    query: { ...request.selectors, limit: 1 },
    signal,
    timeoutMs: OPEN_MS,
  });
  const present = listSchema.safeParse(raw).data?.metadata.resourceVersion;
  return present !== undefined && wentBack(request.resourceVersion, present) ? { type: 'expired' } : verdict;
}
