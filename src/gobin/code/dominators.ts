import type { FlowGraph } from './flow-graph.ts';

/**
 * For each reachable instruction the nearest other one that every path from the roots to it passes (its immediate dominator), null where
 * there is none.
 *
 * K. Cooper, T. Harvey, K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001: repeat in reverse postorder until nothing changes.
 */
export function immediateDominators(graph: FlowGraph): ReadonlyMap<number, number | null> {
  const order = reversePostorder(graph);
  const position = new Map(order.map((at, i) => [at, i]));
  const predecessors = order.map((): number[] => []);
  for (const [i, at] of order.entries()) {
    for (const next of graph.successors.get(at) ?? []) predecessors[position.get(next) ?? -1]?.push(i);
  }
  // By position; -1 is above all roots, undefined is not known yet.
  const dominator = new Array<number | undefined>(order.length).fill(undefined);
  const roots = new Set(graph.roots.map((root) => position.get(root)));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < order.length; i++) {
      let found: number | undefined = roots.has(i) ? -1 : undefined;
      for (const from of predecessors[i] ?? []) {
        if (dominator[from] === undefined) continue;
        found = found === undefined ? from : common(dominator, found, from);
      }
      if (found !== dominator[i]) {
        dominator[i] = found;
        changed = true;
      }
    }
  }
  return new Map(order.map((at, i) => [at, order[dominator[i] ?? -1] ?? null]));
}

/** The nearest that is above both; a dominator stands earlier in reverse postorder than what it dominates. */
function common(dominator: readonly (number | undefined)[], left: number, right: number): number {
  let [a, b] = [left, right];
  while (a !== b) {
    if (a > b) a = dominator[a] ?? -1;
    else b = dominator[b] ?? -1;
  }
  return a;
}

function reversePostorder({ roots, successors }: FlowGraph): number[] {
  const seen = new Set<number>();
  const postorder: number[] = [];
  for (const root of [...roots].reverse()) {
    if (seen.has(root)) continue;
    seen.add(root);
    // Own stack: a function of straight code would be as deep as it is long.
    const stack = [{ at: root, left: [...(successors.get(root) ?? [])] }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.left.pop();
      if (next === undefined) {
        postorder.push(top.at);
        stack.pop();
      } else if (!seen.has(next)) {
        seen.add(next);
        stack.push({ at: next, left: [...(successors.get(next) ?? [])] });
      }
    }
  }
  return postorder.reverse();
}
