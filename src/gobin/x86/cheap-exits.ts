import { flowGraph } from '../code/flow-graph.ts';
import type { FunctionBody, FunctionCode } from '../code/function-body.ts';
import { isEmulatedJump } from './emulated.ts';
import { exitsOf } from './exits.ts';

export interface EndOfFunction {
  /** Index of the instruction probed at the entry. */
  readonly entry: number;
  /** Addresses of the functions that may still be called after the exit was seen. */
  readonly mayCallAtEnd: ReadonlySet<number>;
}

/**
 * Where to see that a function ends: for each RET one instruction, a jump that stands for it where there is one, else the RET itself.
 *
 * Why: at a uprobe the kernel emulates a jump, but has to single-step a RET out of line (arch/x86/kernel/uprobes.c,
 * branch_setup_xol_ops), which takes about ten times as long. Calls through a register may follow too: there the compiler runs the
 * function's own deferred closures before it returns. The graph is not understood: all RETs.
 */
export function cheapExits(
  fn: FunctionCode,
  body: FunctionBody,
  { entry, mayCallAtEnd }: EndOfFunction,
): readonly number[] {
  const graph = flowGraph(fn, body, entry);
  if (graph === undefined) return body.returns;
  return exitsOf({
    graph,
    returns: body.returns,
    mayCarryProbe: (at) => isEmulatedJump(fn.code, at),
    mayFollow: (at) => {
      const flow = body.instructions.get(at)?.flow;
      if (flow?.kind === 'call') return flow.target === null || mayCallAtEnd.has(fn.address + flow.target);
      return flow !== undefined && flow.kind !== 'trap';
    },
  });
}
