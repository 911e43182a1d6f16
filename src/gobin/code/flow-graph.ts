import type { FunctionBody, FunctionCode } from './function-body.ts';

/**
 * Which instruction may follow which, by index. A call is taken to come back: paths that do not exist in truth may be in the graph,
 * but none is missing, so what holds on every path here holds on every path of the program.
 */
export interface FlowGraph {
  /** Where control may come from outside; in the order in which it is likely. */
  readonly roots: readonly number[];
  /** For each instruction, those that may come next: none after a RET and after what traps. */
  readonly successors: ReadonlyMap<number, readonly number[]>;
}

/** A function that is longer is no function of the runtime that is probed (they have some 350): bounds the work on hostile files. */
const maxInstructions = 4096;

/**
 * The graph of a function, or undefined when control may go where this cannot follow (indirect jumps, off the function's end).
 *
 * Roots are the probed entry and each instruction that nothing reached from it reaches: the prologue before the entry, and the code that
 * the runtime itself jumps to after a recovered panic (`deferreturn`). NOPs that nothing reaches are padding before a jump's target.
 */
export function flowGraph(fn: FunctionCode, body: FunctionBody, entry: number): FlowGraph | undefined {
  if (body.instructions.size > maxInstructions) return undefined;
  const successors = new Map<number, readonly number[]>();
  for (const [at, { length, flow }] of body.instructions) {
    const following = at + length;
    if (flow.kind === 'indirectJump' || flow.kind === 'foreign') return undefined;
    if (flow.kind === 'return' || flow.kind === 'trap') successors.set(at, []);
    else if (flow.kind === 'jump') successors.set(at, [flow.target]);
    else if (flow.kind === 'branch') successors.set(at, [following, flow.target]);
    else successors.set(at, [following]);
  }
  const reached = reachable({ roots: [entry], successors }, [entry]);
  const others = [...successors.keys()].filter((at) => !reached.has(at) && !body.set.isNop(fn.code, at));
  const graph = { roots: [entry, ...others], successors };
  const inside = [...reachable(graph, graph.roots)].every((at) => successors.has(at));
  return inside ? graph : undefined;
}

/** `from` and everything that may come after it. */
export function reachable({ successors }: FlowGraph, from: readonly number[]): ReadonlySet<number> {
  const seen = new Set<number>(from);
  // A set is walked in the order of insertion, and what is added on the way is walked too.
  for (const at of seen) for (const next of successors.get(at) ?? []) seen.add(next);
  return seen;
}
