import { z } from 'zod';
import { errorFromStatus, type KubeError } from './errors.ts';
import { keyOf, type ObjectKey, type Resource } from './resource.ts';
import type { Entry } from './store.ts';

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'upsert'; readonly raw: unknown }
  | { readonly type: 'delete'; readonly raw: unknown }
  | { readonly type: 'bookmark'; readonly resourceVersion: string | undefined }
  | { readonly type: 'error'; readonly error: KubeError }
  /** Not JSON, or no event: what it stood for is lost. */
  | { readonly type: 'garbage'; readonly line: string };

const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

export function parseWatchLine(call: string, line: string): WatchEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { type: 'garbage', line };
  }
  const event = eventSchema.safeParse(json);
  if (!event.success) return { type: 'garbage', line };
  const { type, object } = event.data;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'upsert', raw: object };
    case 'DELETED':
      return { type: 'delete', raw: object };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion: bookmarkSchema.safeParse(object).data?.metadata.resourceVersion };
    case 'ERROR':
      return { type: 'error', error: errorFromStatus(call, 0, object) };
    default:
      return { type: 'garbage', line };
  }
}

const identitySchema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().nullish(),
    uid: z.string().min(1),
    resourceVersion: z.string().min(1),
  }),
});

export interface Identity {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Who an object is, as sent; undefined when it does not say. */
export function identityOf(raw: unknown): Identity | undefined {
  const parsed = identitySchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const { name, namespace, uid, resourceVersion } = parsed.data.metadata;
  return { key: keyOf({ namespace: namespace ?? undefined, name }), uid, resourceVersion };
}

export type Read<T> =
  | { readonly ok: true; readonly entry: Entry<T> }
  | { readonly ok: false; readonly identity: Identity | undefined; readonly reason: string; readonly raw: unknown };

/** An object as the store takes it, or why it cannot. */
export function readObject<T>(resource: Resource<T>, raw: unknown): Read<T> {
  const identity = identityOf(raw);
  if (identity === undefined)
    return { ok: false, identity, reason: 'metadata lacks a name, uid or resourceVersion', raw };
  try {
    return { ok: true, entry: { ...identity, object: resource.parse(raw) } };
  } catch (error) {
    return { ok: false, identity, reason: reasonOf(error), raw };
  }
}

/** True when both are numbers, as the API server's are, and `later` is the smaller: the server's history was set back. */
export function wentBack(earlier: string, later: string): boolean {
  return /^\d+$/.test(earlier) && /^\d+$/.test(later) && BigInt(later) < BigInt(earlier);
}

/** In one line, for logs and conditions. */
function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return String(error);
  return z
    .prettifyError(error)
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('✖ ', '');
}
