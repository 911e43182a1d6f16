import { immediateDominators } from '../code/dominators.ts';
import { type FlowGraph, reachable } from '../code/flow-graph.ts';

/** What of a function's graph decides where its ends may be seen. */
export interface ExitQuestion {
  readonly graph: FlowGraph;
  readonly returns: readonly number[];
  /** May a probe stand here instead of on a RET? */
  readonly mayCarryProbe: (at: number) => boolean;
  /** May this instruction run after the end was seen? */
  readonly mayFollow: (at: number) => boolean;
}

/** Instructions after the probed one, over all paths: the tail that is left must be small. Go's have 6 to 50. */
const maxTailInstructions = 100;

/**
 * One instruction for each RET, such that every path through the function passes exactly one of them, once: the nearest before the RET
 * that may carry a probe, that every path to the RET passes, and after which nothing but this RET can come, by ways that never go back and
 * do nothing but what may follow. A RET for which there is none stands for itself. In the order of `returns`.
 */
export function exitsOf(question: ExitQuestion): readonly number[] {
  const { graph, returns } = question;
  const dominators = immediateDominators(graph);
  const exits = returns.map((ret) => nearestBefore(question, dominators, ret) ?? ret);
  return passedExactlyOnce(graph, exits, returns) ? exits : returns;
}

function nearestBefore(
  question: ExitQuestion,
  dominators: ReadonlyMap<number, number | null>,
  ret: number,
): number | undefined {
  for (let at = dominators.get(ret) ?? null; at !== null; at = dominators.get(at) ?? null) {
    // What is farther away has all of this tail in its own.
    if (!isTail(question, at, ret)) return undefined;
    if (question.mayCarryProbe(at)) return at;
  }
  return undefined;
}

/** Does everything that may come after `from` lead on to `ret`, forwards, and may it follow? */
function isTail({ graph, mayFollow }: ExitQuestion, from: number, ret: number): boolean {
  const tail = new Set(graph.successors.get(from) ?? []);
  if ([...tail].some((at) => at <= from)) return false;
  for (const at of tail) {
    if (tail.size > maxTailInstructions || !mayFollow(at)) return false;
    const following = graph.successors.get(at) ?? [];
    if (following.length === 0 && at !== ret) return false;
    for (const next of following) {
      if (next <= at) return false;
      tail.add(next);
    }
  }
  return tail.has(ret);
}

const none = 1;
const one = 2;
const several = 4;

/** Checks the answer from the front, independently of how it was found: how many exits may have been passed at each RET. */
export function passedExactlyOnce(graph: FlowGraph, exits: readonly number[], returns: readonly number[]): boolean {
  const isExit = new Set(exits);
  const before = new Map<number, number>(graph.roots.map((root) => [root, none]));
  const after = (at: number): number => {
    const counts = before.get(at) ?? 0;
    if (!isExit.has(at)) return counts;
    return ((counts & none) !== 0 ? one : 0) | ((counts & (one | several)) !== 0 ? several : 0);
  };
  const work = [...graph.roots];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const counts = after(at);
    for (const next of graph.successors.get(at) ?? []) {
      const known = before.get(next) ?? 0;
      if ((known | counts) === known) continue;
      before.set(next, known | counts);
      work.push(next);
    }
  }
  const reached = reachable(graph, graph.roots);
  return returns.every((ret) => (reached.has(ret) ? after(ret) === one : isExit.has(ret)));
}
