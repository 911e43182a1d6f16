import { immediateDominators } from './dominators.ts';
import { type FlowGraph, reachable } from './flow-graph.ts';

/** A stretch of a function that is timed from one instruction to the first of several others. */
export interface Span {
  readonly begin: ReadonlySet<number>;
  readonly ends: ReadonlySet<number>;
}

export interface SpanQuestion extends Span {
  readonly graph: FlowGraph;
  /** Where a call of the function comes in; other roots of the graph are where the runtime goes on after a recovered panic. */
  readonly entries: ReadonlySet<number>;
  readonly returns: ReadonlySet<number>;
  /** The work that is to be timed: it must never be done outside. */
  readonly work: ReadonlySet<number>;
}

export type SpanFault = 'never-begins' | 'begins-twice' | 'ends-outside' | 'returns-inside' | 'works-outside';

const outside = 0;
const inside = 1;
/** After a recovered panic: the call came in long before. Then an end may be missed or stand alone, and that is no fault. */
const unknown = 2;
const phases = 3;

/**
 * What is wrong with a span, or undefined when on every path from the entries each begin is followed by exactly one end before the
 * function returns and before the next begin, no end stands alone, and the work is done in between. Walks every state: where, and
 * whether inside.
 */
export function spanFault({ graph, entries, begin, ends, returns, work }: SpanQuestion): SpanFault | undefined {
  const seen = new Set(graph.roots.map((root) => root * phases + (entries.has(root) ? outside : unknown)));
  let begins = false;
  for (const state of seen) {
    const at = Math.floor(state / phases);
    let phase = state % phases;
    if (begin.has(at)) {
      if (phase === inside) return 'begins-twice';
      begins = true;
      phase = inside;
    } else if (ends.has(at)) {
      if (phase === outside) return 'ends-outside';
      phase = outside;
    }
    if (work.has(at) && phase === outside) return 'works-outside';
    if (returns.has(at) && phase === inside) return 'returns-inside';
    for (const next of graph.successors.get(at) ?? []) seen.add(next * phases + phase);
  }
  return begins ? undefined : 'never-begins';
}

/** The instructions that every path to `at` passes before it, the nearest first. */
export function dominatorsAbove(graph: FlowGraph, at: number): number[] {
  const dominators = immediateDominators(graph);
  const above: number[] = [];
  for (let up = dominators.get(at) ?? null; up !== null; up = dominators.get(up) ?? null) above.push(up);
  return above;
}

/** The nearest instruction before `at` that every path to it passes and that may carry a probe. */
export function nearestAbove(graph: FlowGraph, at: number, mayCarryProbe: (at: number) => boolean): number | undefined {
  return dominatorsAbove(graph, at).find(mayCarryProbe);
}

/** The nearest instruction after `at` that every path from it to an end passes and that may carry a probe. */
export function nearestBelow(graph: FlowGraph, at: number, mayCarryProbe: (at: number) => boolean): number | undefined {
  const after = reachable(graph, [at]);
  const ends = [...after].filter((node) => (graph.successors.get(node) ?? []).length === 0);
  const { successors } = reversed(graph);
  const back = new Map([...after].map((node) => [node, (successors.get(node) ?? []).filter((to) => after.has(to))]));
  return nearestAbove({ roots: ends, successors: back }, at, mayCarryProbe);
}

/** Each edge turned round. */
export function reversed({ roots, successors }: FlowGraph): FlowGraph {
  const back = new Map<number, number[]>([...successors.keys()].map((at) => [at, []]));
  for (const [at, following] of successors) for (const next of following) back.get(next)?.push(at);
  return { roots, successors: back };
}
