import { z } from 'zod';
import { type ChainState, type Retention, type StoredBundle, StoreError } from './store.ts';

/**
 * A chain's index: what a store must remember beside the bundles. Every change is a pure function from state to state.
 *
 * Decision on removal: a removed bundle leaves its digests behind. While bundles older than it are kept it is listed under `removed`;
 * once it is the oldest, it becomes the `anchor`, the digest that the oldest kept bundle names as its `previous`. So retention can
 * drop evidence without a gap that looks like tampering, at a constant cost; and a bundle that vanished without trace still shows.
 */
const storedSchema = z.strictObject({
  key: z.string(),
  sha256: z.string(),
  sizeBytes: z.number(),
  previous: z.string().nullable(),
  storedAt: z.string(),
});
export const chainStateSchema = z.strictObject({
  bundles: z.array(storedSchema),
  anchor: z.strictObject({ sha256: z.string(), removedCount: z.number(), removedAt: z.string() }).nullable(),
  removed: z.array(storedSchema.extend({ removedAt: z.string() })),
  head: z.string().nullable(),
});

export const emptyChain: ChainState = { bundles: [], anchor: null, removed: [], head: null };

/** @throws StoreError `chain-moved` when the bundle does not follow the newest one, `key-taken` */
export function append(state: ChainState, bundle: StoredBundle): ChainState {
  if (
    state.bundles.some((stored) => stored.key === bundle.key) ||
    state.removed.some((stored) => stored.key === bundle.key)
  ) {
    throw new StoreError(
      'key-taken',
      `${bundle.key} already holds another bundle; evidence is never replaced: choose another name`,
    );
  }
  if (bundle.previous !== state.head) {
    const message = `${bundle.key} follows ${bundle.previous ?? 'nothing'}, but the newest bundle is ${state.head ?? 'none'}; seal it anew`;
    throw new StoreError('chain-moved', message);
  }
  return { ...state, bundles: [...state.bundles, bundle], head: bundle.sha256 };
}

/** Removes the given keys; unknown ones are ignored. */
export function removeKeys(state: ChainState, keys: ReadonlySet<string>, removedAt: string): ChainState {
  const gone = state.bundles.filter((bundle) => keys.has(bundle.key)).map((bundle) => ({ ...bundle, removedAt }));
  const bundles = state.bundles.filter((bundle) => !keys.has(bundle.key));
  return foldIntoAnchor({ ...state, bundles, removed: [...state.removed, ...gone] });
}

/** Oldest first: beyond `count`, or older than `ageMs`; the newest bundle stays, it is what the next one builds on. */
export function expired(state: ChainState, keep: Retention, nowMs: number): string[] {
  const { count = Number.POSITIVE_INFINITY, ageMs = Number.POSITIVE_INFINITY } = keep;
  const surplus = Math.max(0, state.bundles.length - Math.max(1, count));
  const old = state.bundles.findIndex((bundle) => nowMs - Date.parse(bundle.storedAt) <= ageMs);
  const outdated = old === -1 ? state.bundles.length - 1 : old;
  return state.bundles.slice(0, Math.max(0, surplus, outdated)).map((bundle) => bundle.key);
}

/** Removed bundles that no older kept bundle precedes become the anchor. */
function foldIntoAnchor(state: ChainState): ChainState {
  let { anchor } = state;
  const removed = new Map(state.removed.map((bundle) => [bundle.previous, bundle]));
  for (;;) {
    const oldest = removed.get(anchor?.sha256 ?? null);
    if (!oldest) break;
    removed.delete(oldest.previous);
    anchor = { sha256: oldest.sha256, removedCount: (anchor?.removedCount ?? 0) + 1, removedAt: oldest.removedAt };
  }
  return { ...state, anchor, removed: [...removed.values()] };
}
