import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowGraph } from './flow-graph.ts';
import { nearestBelow, type SpanFault, spanFault } from './span.ts';

const graphOf = (successors: readonly (readonly number[])[]): FlowGraph => ({
  roots: [0],
  successors: new Map(successors.map((next, at) => [at, next])),
});
const set = (...members: number[]): ReadonlySet<number> => new Set(members);
const returnsOf = ({ successors }: FlowGraph): ReadonlySet<number> =>
  new Set([...successors].flatMap(([at, next]) => (next.length === 0 ? [at] : [])));

describe('a span', () => {
  it.each<[string, number[][], number[], number[], number[], SpanFault | undefined]>([
    ['straight', [[1], [2], [3], []], [0], [2], [1], undefined],
    ['with a way past it', [[1, 4], [2], [3], [4], []], [1], [3], [2], undefined],
    ['in a loop', [[1], [2], [0, 3], []], [0], [2], [1], undefined],
    ['with a way out', [[1], [2, 3], [3], []], [0], [2], [], 'returns-inside'],
    ['with a way into the work', [[1, 2], [2], [3], []], [1], [3], [2], 'works-outside'],
    ['with a way back to its begin', [[1], [0, 2], [3], []], [0], [2], [], 'begins-twice'],
    ['with a way to its end', [[1, 2], [2], [3], []], [1], [2], [], 'ends-outside'],
    ['that nothing reaches', [[2], [2], []], [1], [], [], 'never-begins'],
  ])('%s', (_name, successors, begin, ends, work, expected) => {
    const graph = graphOf(successors);
    const question = {
      graph,
      entries: set(0),
      begin: set(...begin),
      ends: set(...ends),
      work: set(...work),
      returns: returnsOf(graph),
    };
    expect(spanFault(question)).toBe(expected);
  });

  it('after a recovered panic may have been inside or not', () => {
    const graph: FlowGraph = { ...graphOf([[1], [2], [], [1]]), roots: [0, 3] };
    const question = { graph, entries: set(0), begin: set(0), ends: set(1), work: set(), returns: returnsOf(graph) };
    expect(spanFault(question)).toBeUndefined();
  });
});

const anyCase = fc.integer({ min: 2, max: 12 }).chain((size) => {
  const anywhere = fc.nat(size - 1);
  const some = fc.uniqueArray(anywhere, { maxLength: 3 }).map((list) => new Set(list));
  return fc.record({
    graph: fc.tuple(...Array.from({ length: size }, () => fc.uniqueArray(anywhere, { maxLength: 2 }))).map(graphOf),
    begin: some,
    ends: some,
    work: some,
    walk: fc.array(fc.nat(), { minLength: 20, maxLength: 40 }),
  });
});

describe('of any graph', () => {
  it('a span without fault holds on every walk', () => {
    let proven = 0;
    fc.assert(
      fc.property(anyCase, ({ graph, begin, ends: allEnds, work, walk }) => {
        const ends = new Set([...allEnds].filter((at) => !begin.has(at)));
        const returns = returnsOf(graph);
        if (spanFault({ graph, entries: set(0), begin, ends, work, returns }) !== undefined) return;
        proven++;
        let isInside = false;
        let at = 0;
        for (const choice of walk) {
          if (begin.has(at)) {
            expect(isInside).toBe(false);
            isInside = true;
          } else if (ends.has(at)) {
            expect(isInside).toBe(true);
            isInside = false;
          }
          if (work.has(at)) expect(isInside).toBe(true);
          if (returns.has(at)) expect(isInside).toBe(false);
          const next = graph.successors.get(at) ?? [];
          if (next.length === 0) break;
          at = next[choice % next.length] ?? 0;
        }
      }),
      { numRuns: 5000 },
    );
    // About one graph in eighty: few enough that a run may well have half as many.
    expect(proven).toBeGreaterThan(10);
  });

  it('what is nearest below is passed by every walk from there to an end', () => {
    fc.assert(
      fc.property(anyCase, ({ graph, begin: carriers, walk }) => {
        const below = nearestBelow(graph, 0, (at) => at !== 0 && carriers.has(at));
        if (below === undefined) return;
        const passed: number[] = [];
        let at = 0;
        for (const choice of walk) {
          passed.push(at);
          const next = graph.successors.get(at) ?? [];
          if (next.length === 0) {
            expect(passed).toContain(below);
            return;
          }
          at = next[choice % next.length] ?? 0;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
