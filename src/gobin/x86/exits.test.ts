import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { immediateDominators } from '../code/dominators.ts';
import { type FlowGraph, reachable } from '../code/flow-graph.ts';
import { exitsOf, passedExactlyOnce } from './exits.ts';

const graphOf = (successors: readonly (readonly number[])[], roots: readonly number[] = [0]): FlowGraph => ({
  roots,
  successors: new Map(successors.map((next, at) => [at, next])),
});
const returnsOf = ({ successors }: FlowGraph): number[] =>
  [...successors].filter(([, next]) => next.length === 0).map(([at]) => at);

function exits(
  successors: readonly (readonly number[])[],
  carriers: readonly number[],
  { roots = [0], forbidden = [] }: { roots?: readonly number[]; forbidden?: readonly number[] } = {},
): readonly number[] {
  const graph = graphOf(successors, roots);
  return exitsOf({
    graph,
    returns: returnsOf(graph),
    mayCarryProbe: (at) => carriers.includes(at),
    mayFollow: (at) => !forbidden.includes(at),
  });
}

describe('exits', () => {
  it.each([
    // 0 entry, 1 jump over 2 to 3, 3 RET: as where Go 1.26 runs its deferred closure.
    ['the jump that all ways pass', [[1], [2, 3], [3], []], [1], {}, [1]],
    ['the nearer of two', [[1], [2, 3], [3], [4, 5], [5], []], [1, 3], {}, [3]],
    ['not a jump that some ways do not pass', [[1, 2], [2, 3], [3], []], [1], {}, [3]],
    ['not a jump after which another RET may come', [[1], [2, 3], [], []], [1], {}, [2, 3]],
    ['not a jump that may be passed again', [[1], [2, 3], [1], []], [1], {}, [3]],
    ['not a jump after which there is a loop', [[1], [2], [2, 3], []], [1], {}, [3]],
    ['not a jump to itself', [[1], [1, 2], []], [1], {}, [2]],
    ['not a jump after which work may follow', [[1], [2, 3], [3], []], [1], { forbidden: [2] }, [3]],
    ['not a jump that another way in passes by', [[1], [2, 3], [3], [], [3]], [1], { roots: [0, 4] }, [3]],
    ['a jump for the late RET, the early RET itself', [[1, 2], [], [3], [4, 5], [5], []], [0, 3], {}, [1, 3]],
    ['a RET that nothing reaches stays', [[1], [2, 3], [3], [], [5], []], [1], { roots: [0, 4] }, [1, 5]],
  ])('%s', (_name, successors, carriers, options, expected) => {
    expect(exits(successors, carriers, options)).toEqual(expected);
  });

  it('are the RETs where too much comes after the jump', () => {
    const straight = (length: number) => [...Array.from({ length }, (_, at) => [at + 1]), []];
    expect(exits(straight(100), [0])).toEqual([0]);
    expect(exits(straight(101), [0])).toEqual([101]);
  });

  it.each([
    ['none on one way', [[1, 2], [3], [3], []], [1], false],
    ['one on each way', [[1, 2], [3], [3], []], [1, 2], true],
    ['two on one way', [[1, 2], [3], [3], []], [0, 1], false],
    ['one in a loop', [[1], [0, 2], []], [1], false],
    ['the RET itself', [[1], []], [1], true],
  ])('passed exactly once: %s', (_name, successors, chosen, expected) => {
    const graph = graphOf(successors);
    expect(passedExactlyOnce(graph, chosen, returnsOf(graph))).toBe(expected);
  });
});

/** Mostly forward, as code is, with loops, several ways in and instructions that cannot be reached. */
const anyGraph = fc.integer({ min: 1, max: 16 }).chain((size) => {
  const anywhere = fc.nat(size - 1);
  const next = (at: number) =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constant([at + 1]) },
      { weight: 4, arbitrary: fc.integer({ min: at + 1, max: size - 1 }).map((target) => [at + 1, target]) },
      { weight: 1, arbitrary: anywhere.map((target) => [at + 1, target]) },
      { weight: 1, arbitrary: anywhere.map((target) => [target]) },
      { weight: 1, arbitrary: fc.constant([]) },
    );
  const code = Array.from({ length: size - 1 }, (_, at) => next(at));
  return fc.record({
    graph: fc
      .tuple(fc.tuple(...code), fc.array(anywhere, { maxLength: 2 }))
      .map(([successors, roots]) => graphOf([...successors, []], [0, ...roots])),
    carriers: fc.uniqueArray(anywhere).map((list) => new Set(list)),
    forbidden: fc.uniqueArray(anywhere, { maxLength: 3 }).map((list) => new Set(list)),
    walk: fc.array(fc.nat(), { minLength: 30, maxLength: 60 }),
  });
});
const numRuns = 1000;

const without = ({ roots, successors }: FlowGraph, removed: number): FlowGraph => ({
  roots: roots.filter((root) => root !== removed),
  successors: new Map(
    [...successors].map(([at, next]) => [at, at === removed ? [] : next.filter((to) => to !== removed)]),
  ),
});

/** By definition: those without which it cannot be reached. */
function dominatorsOf(graph: FlowGraph, at: number): number[] {
  const others = [...graph.successors.keys()].filter((other) => other !== at);
  return others.filter((other) => {
    const left = without(graph, other);
    return !reachable(left, left.roots).has(at);
  });
}

describe('of any graph', () => {
  it('dominators are those without which an instruction cannot be reached', () => {
    fc.assert(
      fc.property(anyGraph, ({ graph }) => {
        const immediate = immediateDominators(graph);
        for (const at of reachable(graph, graph.roots)) {
          const chain: number[] = [];
          for (let up = immediate.get(at); up !== null && up !== undefined; up = immediate.get(up)) chain.push(up);
          expect(chain.sort((a, b) => a - b)).toEqual(dominatorsOf(graph, at).sort((a, b) => a - b));
        }
      }),
      { numRuns },
    );
  });

  it('every way to a RET passes exactly one exit, and then nothing that may not follow', () => {
    let cheap = 0;
    fc.assert(
      fc.property(anyGraph, ({ graph, carriers, forbidden, walk }) => {
        const returns = returnsOf(graph);
        const found = exitsOf({
          graph,
          returns,
          mayCarryProbe: (at) => carriers.has(at),
          mayFollow: (at) => !forbidden.has(at),
        });
        expect(found).toHaveLength(returns.length);
        expect(new Set(found).size).toBe(found.length);
        cheap += found.filter((at) => !returns.includes(at)).length;
        for (const root of graph.roots) {
          const passed: number[] = [];
          let isOver = false;
          let at = root;
          for (const choice of walk) {
            if (passed.length > 0) expect(forbidden.has(at) && !returns.includes(passed[0] ?? -1)).toBe(false);
            if (found.includes(at)) passed.push(at);
            const next = graph.successors.get(at) ?? [];
            isOver = next.length === 0;
            if (isOver) break;
            at = next[choice % next.length] ?? 0;
          }
          expect(passed.length).toBeLessThanOrEqual(1);
          if (isOver) expect(passed).toHaveLength(1);
        }
      }),
      { numRuns },
    );
    expect(cheap).toBeGreaterThan(numRuns / 10);
  });

  it('the check from the front agrees with walking every state', () => {
    fc.assert(
      fc.property(anyGraph, ({ graph, carriers }) => {
        const returns = returnsOf(graph);
        const chosen = [...carriers];
        // States are an instruction and how many exits were passed before it, 2 for more.
        const states = new Set(graph.roots.map((root) => `${root} 0`));
        let isGood = returns.every((ret) => reachable(graph, graph.roots).has(ret) || carriers.has(ret));
        for (const state of states) {
          const [at = 0, before = 0] = state.split(' ').map(Number);
          const after = Math.min(2, before + (carriers.has(at) ? 1 : 0));
          if (returns.includes(at) && after !== 1) isGood = false;
          for (const next of graph.successors.get(at) ?? []) states.add(`${next} ${after}`);
        }
        expect(passedExactlyOnce(graph, chosen, returns)).toBe(isGood);
      }),
      { numRuns },
    );
  });
});
