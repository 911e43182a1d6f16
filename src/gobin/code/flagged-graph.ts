import type { FlowGraph } from './flow-graph.ts';
import type { FunctionBody, FunctionCode } from './function-body.ts';
import type { Register } from './instruction.ts';

/** What is known of one register at a place: that it is zero, that it is a constant whose low byte is not zero, or nothing. */
const zero = 0;
const nonZero = 1;
const unknown = 2;
type Value = typeof zero | typeof nonZero | typeof unknown;
const values = 3;

/** A place in the graph below, and the instruction that stands there. */
export const placeOf = (at: number, value: number): number => at * values + value;
export const instructionAt = (place: number): number => Math.floor(place / values);

/**
 * The function's graph, told apart by what one register holds: each place is an instruction together with that knowledge, and where
 * a branch asks for what is known, only the way that is taken is left. So a path through this graph is one that a variable
 * which the compiler keeps in the register (a flag that is set once) really allows.
 *
 * Sound like the plain graph: knowledge is lost at every instruction that may change the register, and at every call.
 */
export function flaggedGraph(fn: FunctionCode, body: FunctionBody, graph: FlowGraph, register: Register): FlowGraph {
  const roots = graph.roots.map((root) => placeOf(root, unknown));
  const successors = new Map<number, readonly number[]>();
  const work = [...roots];
  for (let place = work.pop(); place !== undefined; place = work.pop()) {
    if (successors.has(place)) continue;
    const at = instructionAt(place);
    const value = valueAfter(fn.code, body, at, register, (place % values) as Value);
    const following = (graph.successors.get(at) ?? []).filter((next) =>
      isAllowed(fn.code, body, { at, next, register, value }),
    );
    const places = following.map((next) => placeOf(next, value));
    successors.set(place, places);
    work.push(...places);
  }
  return { roots, successors };
}

function valueAfter(code: Uint8Array, body: FunctionBody, at: number, register: Register, before: Value): Value {
  const kind = body.instructions.get(at)?.flow.kind;
  if (kind === 'call') return unknown;
  if (kind === 'jump' || kind === 'branch') return before;
  const { writes, constant } = body.set.operands(code, at);
  if (constant?.register === register)
    return constant.value === 0 ? zero : (constant.value & 0xff) !== 0 ? nonZero : unknown;
  return writes === 'any' || writes.has(register) ? unknown : before;
}

/** May the branch at `at` go on to `next`? Only one that asks for what is known says no. */
function isAllowed(
  code: Uint8Array,
  body: FunctionBody,
  { at, next, register, value }: { at: number; next: number; register: Register; value: Value },
): boolean {
  const branch = body.instructions.get(at);
  if (value === unknown || branch?.flow.kind !== 'branch') return true;
  const test = body.set.zeroTest(code, body, at);
  if (test?.register !== register) return true;
  const { target } = branch.flow;
  if (target === at + branch.length) return true;
  const isTaken = test.jumpsOnZero === (value === zero);
  return isTaken === (next === target);
}
