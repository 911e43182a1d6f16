import type { FunctionBody } from '../code/function-body.ts';
import { field, matches, wordAt } from './word.ts';

const known = new WeakMap<FunctionBody, ReadonlySet<number>>();

/**
 * Instructions that may run between an exclusive load and its store. A stop there loses the reservation: the store fails, the loop tries
 * again, and is stopped again, for ever. The kernel refuses uprobes on the load and the store themselves
 * (arch/arm64/kernel/probes/decode-insn.c), but not on what lies between.
 */
export function betweenExclusives(code: Uint8Array, body: FunctionBody): ReadonlySet<number> {
  const before = known.get(body);
  if (before !== undefined) return before;
  const { loads, stores, successors, predecessors } = flowOf(code, body);
  const afterLoad = reach(loads, stores, successors);
  const beforeStore = reach(stores, loads, predecessors);
  const between = new Set([...afterLoad].filter((at) => beforeStore.has(at)));
  known.set(body, between);
  return between;
}

interface ExclusiveFlow {
  readonly loads: ReadonlySet<number>;
  readonly stores: ReadonlySet<number>;
  readonly successors: ReadonlyMap<number, readonly number[]>;
  readonly predecessors: ReadonlyMap<number, readonly number[]>;
}

function flowOf(code: Uint8Array, body: FunctionBody): ExclusiveFlow {
  const loads = new Set<number>();
  const stores = new Set<number>();
  const successors = new Map<number, readonly number[]>();
  const predecessors = new Map<number, number[]>([...body.instructions.keys()].map((at) => [at, []]));
  for (const [at, { length, flow }] of body.instructions) {
    const word = wordAt(code, at) ?? 0;
    // LDXR, STXR and their kin: not ordered (bit 23); of pairs only those with bit 31, the others are CASP.
    const isExclusive =
      matches(word, 0x3f80_0000, 0x0800_0000) && (field(word, 21, 1) === 0 || field(word, 31, 1) === 1);
    if (isExclusive) (field(word, 22, 1) === 1 ? loads : stores).add(at);
    const following: number[] = [];
    if (flow.kind === 'next' || flow.kind === 'call' || flow.kind === 'branch') following.push(at + length);
    if (flow.kind === 'jump' || flow.kind === 'branch') following.push(flow.target);
    successors.set(at, following);
    for (const to of following) predecessors.get(to)?.push(at);
  }
  return { loads, stores, successors, predecessors };
}

/** What comes after `from`, up to but without `until`. */
function reach(
  from: ReadonlySet<number>,
  until: ReadonlySet<number>,
  steps: ReadonlyMap<number, readonly number[]>,
): ReadonlySet<number> {
  const seen = new Set<number>();
  const work = [...from];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    for (const next of steps.get(at) ?? []) {
      if (seen.has(next) || until.has(next)) continue;
      seen.add(next);
      work.push(next);
    }
  }
  return seen;
}
