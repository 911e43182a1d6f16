import { refuse } from '../refusal.ts';
import { flaggedGraph, placeOf } from './flagged-graph.ts';
import { type FlowGraph, flowGraph, reachable } from './flow-graph.ts';
import type { FunctionBody, FunctionCode } from './function-body.ts';
import type { Register } from './instruction.ts';
import {
  dominatorsAbove,
  nearestAbove,
  nearestBelow,
  reversed,
  type SpanFault,
  type SpanQuestion,
  spanFault,
} from './span.ts';

/** Indices of one begin and of the ends: on every path each begin is followed by exactly one end. */
export interface SpanPlaces {
  readonly begin: number;
  readonly ends: readonly number[];
}

const entry = 0;

/**
 * The whole of each call: from the instruction after the stack check to each RET, that of a recovered panic (`deferreturn`) among them.
 * A goroutine's stack may grow at the check: it is passed again then, that instruction is not.
 */
export function callSpan(fn: FunctionCode, body: FunctionBody): SpanPlaces {
  const begin = body.set.entry(fn, body);
  const graph = graphOf(fn, body);
  prove(fn, {
    graph,
    entries: new Set([entry]),
    begin: new Set([begin]),
    ends: new Set(body.returns),
    returns: new Set(),
    work: new Set(),
  });
  return { begin, ends: body.returns };
}

/**
 * The part of `netpollblock(pd, mode, waitio)` in which the goroutine parks: from the last jump that every way to `gopark` passes to the
 * first that every way from it passes. Ways around: data was there already (passes neither), and the descriptor was closed or timed
 * out in that very moment (passes both, nanoseconds apart). The second argument's register still holds the mode at the begin.
 */
export function parkSpan(fn: FunctionCode, body: FunctionBody, gopark: number | undefined): SpanPlaces {
  const graph = graphOf(fn, body);
  const park = onlyCall(fn, body, gopark, 'runtime.gopark');
  const begin = nearestAbove(graph, park, (at) => body.set.mayCarryProbe(fn, body, at));
  const end = nearestBelow(graph, park, (at) => body.set.mayCarryProbe(fn, body, at));
  if (begin === undefined || end === undefined)
    refuse('unexpected-code', `no jump before and after the park in ${fn.symbol}`);
  prove(fn, {
    graph,
    entries: new Set([entry]),
    begin: new Set([begin]),
    ends: new Set([end]),
    returns: new Set(body.returns),
    work: new Set([park]),
  });
  const changes = changesBetween(fn, body, graph, begin);
  if (changes !== undefined) {
    refuse(
      'unexpected-code',
      `${fn.symbol} may change its second argument at 0x${(fn.address + changes).toString(16)}: the mode would be lost`,
    );
  }
  return { begin, ends: [end] };
}

/** The calls of `callee`, of which every way through the function passes exactly one. */
export function oneOfCalls(fn: FunctionCode, body: FunctionBody, callee: number | undefined): readonly number[] {
  const calls = callsOf(fn, body, callee);
  prove(fn, {
    graph: graphOf(fn, body),
    entries: new Set([entry]),
    begin: new Set([entry]),
    ends: new Set(calls),
    returns: new Set(body.returns),
    work: new Set(),
  });
  return calls;
}

/** An instruction on a way from the entry to `at` that may change the register of the second argument. */
function changesBetween(fn: FunctionCode, body: FunctionBody, graph: FlowGraph, at: number): number | undefined {
  const fromEntry = reachable(graph, [entry]);
  const leadsThere = reachable(reversed(graph), [at]);
  return [...fromEntry].find((step) => {
    if (step === at || !leadsThere.has(step)) return false;
    const { writes } = body.set.operands(fn.code, step);
    return writes === 'any' || writes.has(body.set.secondArgument);
  });
}

/** Addresses of what the runtime calls to tell the execution tracer of an assist (runtime/traceruntime.go). */
export interface AssistTracing {
  readonly start: number | undefined;
  readonly done: number | undefined;
}

/**
 * The assists of `gcAssistAlloc` that do more than steal credit, exactly where the execution tracer's range "GC mark assist" is: from
 * just before the first `systemstack(gcAssistAlloc1)` of a call to just before its return, all rounds and parking in one.
 *
 * The runtime asks the tracer (`traceAcquire`) at these places whether it traces or not, by a jump over the call of
 * GCMarkAssistStart or GCMarkAssistDone: these jumps carry the probes. They are passed by such assists only because the function
 * keeps a flag, `enteredMarkAssistForTracing`; the compiler holds it in a register that it tests before the first of them. So the
 * proof is on the graph that knows this register.
 */
export function slowAssistSpan(fn: FunctionCode, body: FunctionBody, tracing: AssistTracing): SpanPlaces {
  const plain = graphOf(fn, body);
  const jumpBefore = (call: number): number => {
    const jump = nearestAbove(plain, call, (at) => body.set.mayCarryProbe(fn, body, at));
    if (jump === undefined) refuse('unexpected-code', `no jump before the call of the tracer in ${fn.symbol}`);
    return jump;
  };
  const begin = jumpBefore(onlyCall(fn, body, tracing.start, 'GCMarkAssistStart'));
  const done = callsOf(fn, body, tracing.done);
  if (done.length === 0 || done.length > maxEnds) {
    refuse('unexpected-code', `${fn.symbol} calls GCMarkAssistDone ${done.length} times`);
  }
  const ends = [...new Set(done.map(jumpBefore))];
  const work = assistWork(fn, body);
  const fault = firstFault(flagRegisters(fn, body, plain, begin), (register) => {
    const places = (indices: readonly number[]): Set<number> =>
      new Set(indices.flatMap((at) => [0, 1, 2].map((value) => placeOf(at, value))));
    return spanFault({
      graph: flaggedGraph(fn, body, plain, register),
      entries: places([entry]),
      begin: places([begin]),
      ends: places(ends),
      returns: places(body.returns),
      work: places([work]),
    });
  });
  if (fault !== undefined) refuseFault(fn, fault);
  return { begin, ends };
}

/** The runtime's source has three. */
const maxEnds = 8;

/** Undefined when one of the registers proves the span. */
function firstFault(
  registers: readonly Register[],
  faultWith: (register: Register) => SpanFault | undefined,
): SpanFault | undefined {
  let first: SpanFault | undefined = 'works-outside';
  for (const [i, register] of registers.entries()) {
    const fault = faultWith(register);
    if (fault === undefined) return undefined;
    if (i === 0) first = fault;
  }
  return first;
}

/** The call of `systemstack`: the only one of assembly that comes back. */
function assistWork(fn: FunctionCode, body: FunctionBody): number {
  const calls = [...body.instructions].flatMap(([at, { flow }]) =>
    flow.kind === 'call' && body.set.callsAssembly(fn.code, body, at) ? [at] : [],
  );
  const [work] = calls;
  if (work === undefined || calls.length > 1)
    refuse('unexpected-code', `${fn.symbol} calls assembly ${calls.length} times, not once`);
  return work;
}

/** The registers that jumps which are always passed before the begin ask for, the nearest first. */
function flagRegisters(fn: FunctionCode, body: FunctionBody, graph: FlowGraph, begin: number): Register[] {
  const branches = dominatorsAbove(graph, begin).filter((at) => body.instructions.get(at)?.flow.kind === 'branch');
  return [...new Set(branches.flatMap((at) => body.set.zeroTest(fn.code, body, at)?.register ?? []))];
}

function callsOf(fn: FunctionCode, body: FunctionBody, address: number | undefined): number[] {
  return [...body.instructions].flatMap(([at, { flow }]) =>
    flow.kind === 'call' && flow.target !== null && fn.address + flow.target === address ? [at] : [],
  );
}

function onlyCall(fn: FunctionCode, body: FunctionBody, address: number | undefined, name: string): number {
  const calls = callsOf(fn, body, address);
  const [call] = calls;
  if (call === undefined || calls.length > 1)
    refuse('unexpected-code', `${fn.symbol} calls ${name} ${calls.length} times, not once`);
  return call;
}

/**
 * The graph from the very first instruction on, without the way back to it: only the stack check's own jump leads there, when nothing
 * of the call has been done (anywhere else the prologue would run twice and break the stack).
 */
function graphOf(fn: FunctionCode, body: FunctionBody): FlowGraph {
  const graph = flowGraph(fn, body, entry);
  if (graph === undefined || body.leaving.length > 0)
    refuse('unexpected-code', `the flow of ${fn.symbol} is not understood`);
  const successors = new Map(
    [...graph.successors].map(([at, following]) => [at, following.filter((next) => next !== entry)]),
  );
  return { roots: graph.roots, successors };
}

function prove(fn: FunctionCode, question: SpanQuestion): void {
  const fault = spanFault(question);
  if (fault !== undefined) refuseFault(fn, fault);
}

function refuseFault(fn: FunctionCode, fault: SpanFault): never {
  refuse('unexpected-code', `the code of ${fn.symbol} is not as known (${fault}): what is timed there would be wrong`);
}
