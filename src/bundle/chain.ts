import { BundleError, type Problem } from './types.ts';

/** What the chain check needs of a bundle: its file's digest and its manifest's `previous`. */
export interface ChainLink {
  readonly sha256: string;
  readonly previous: string | null;
  /** For messages: the file or key. */
  readonly name: string;
}

export interface ChainExpectation {
  /** Digest of the last bundle that retention removed from the front; null or absent when nothing was removed. */
  readonly anchor?: string | null;
  /** Digests of bundles removed on purpose from within, with what they pointed to. */
  readonly removed?: readonly Omit<ChainLink, 'name'>[];
  /** Digest of the newest bundle, from the incident's status or the store: shows a cut tail. */
  readonly head?: string | null;
}

/**
 * Puts the bundles of one policy in order by their `previous` digests and says where the chain is broken: a bundle removed or
 * altered (its digest is what the next one names), two bundles that follow the same one, a head or a beginning that is missing.
 * @param bundles in any order, each already verified by itself
 * @returns the order from oldest to newest as far as it holds, and the problems
 */
export function verifyChain(
  bundles: readonly ChainLink[],
  expected: ChainExpectation = {},
): { ok: boolean; order: readonly ChainLink[]; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const report = (code: Problem['code'], message: string, path: string) => problems.push({ code, message, path });
  const known = new Set([...bundles, ...(expected.removed ?? [])].map((link) => link.sha256));
  const next = new Map<string | null, ChainLink>();
  const start = expected.anchor ?? null;
  for (const link of bundles) {
    const rival = next.get(link.previous);
    if (rival) {
      const message = `${link.name} and ${rival.name} both follow ${link.previous ?? 'nothing'}: one was put in later`;
      report('chain-fork', message, link.name);
    } else next.set(link.previous, link);
  }
  const removed = (expected.removed ?? []).map((link) => ({ ...link, name: `the removed bundle ${link.sha256}` }));
  for (const { name, previous } of [...bundles, ...removed]) {
    if (previous === start || (previous !== null && known.has(previous))) continue;
    const what = previous === null ? 'claims to be the first of its chain' : `follows ${previous}, which is not here`;
    report('chain-broken', `${name} ${what}: a bundle was removed or altered`, name);
  }
  const order = walk(start, next, new Map((expected.removed ?? []).map((link) => [link.previous, link.sha256])));
  const last = order.at(-1);
  const { head = null } = expected;
  if (head !== null && head !== start && !known.has(head)) {
    report(
      'chain-incomplete',
      `the newest bundle ${head} is missing: the end of the chain was cut off`,
      last?.name ?? '',
    );
  }
  return { ok: problems.length === 0, order, problems };
}

function walk(
  start: string | null,
  next: ReadonlyMap<string | null, ChainLink>,
  removed: ReadonlyMap<string | null, string>,
): ChainLink[] {
  const order: ChainLink[] = [];
  const visited = new Set<string | null>();
  let at: string | null = start;
  while (!visited.has(at)) {
    visited.add(at);
    const link = next.get(at);
    if (link) order.push(link);
    const following = link?.sha256 ?? removed.get(at);
    if (following === undefined) break;
    at = following;
  }
  return order;
}

/** A chain link of a bundle's manifest. @throws BundleError when it is not sealed, since only sealed bundles are chained */
export function chainLink(
  name: string,
  sha256: string,
  manifest: { previous: string | null; seal: unknown },
): ChainLink {
  if (!manifest.seal) throw new BundleError('unsigned', `${name} is not sealed, so it is in no chain`);
  return { name, sha256, previous: manifest.previous };
}
