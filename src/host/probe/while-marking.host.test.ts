/**
 * What began while a cycle was marking, against the program's own clock: it notes when each of its calls begins, and the
 * probe's pauses say when the cycles marked.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachRequest, type CountsEvent, type HistogramEvent, type PauseEvent, startProbe } from './index.ts';
import { sum } from './testing/buckets.ts';
import { buildProbe, missingGround, removeTemporaryFolders } from './testing/ground.ts';
import { buildMarking, Marking, type MarkingAnswer } from './testing/marking.ts';
import { Observer } from './testing/observed.ts';
import { planOf } from './testing/plan.ts';

const missing = missingGround();
/** From the program's clock to the kernel's entry a thread may lose its processor. */
const edgeNs = 3_000_000;
/** So may the collector's own, from the end of the last pause to where the probe learns of it: the whole world has just been let go. */
const lateEndNs = 12_000_000;
const cycles = 20;

interface Run extends MarkingAnswer {
  readonly histograms: readonly HistogramEvent[];
  readonly counts: readonly CountsEvent[];
  readonly pauses: readonly PauseEvent[];
}

interface Span {
  readonly startNs: number;
  readonly endNs: number;
}

async function run(binary: string, request: string): Promise<Run> {
  await using program = new Marking(binary);
  await using probe = await startProbe();
  await probe.attach(attachRequest('marking', `/proc/${program.pid}/exe`, planOf(binary)));
  await probe.watch(program.pid, 'marking');
  const observer = new Observer(probe);
  // A cycle first: until then it is not known whether one is marking.
  await program.ask('collect 1');
  await observer.take();
  observer.forget(program.pid);
  const answer = await program.ask(request);
  await observer.take();
  expect(observer.lost).toBe(0);
  const { histograms, counts, pauses } = observer.of(program.pid);
  return { ...answer, histograms, counts, pauses };
}

/** From the end of the pause that begins a cycle to that of the last one for mark termination; `resumed`: from the first of these on. */
function spansOf(pauses: readonly PauseEvent[]): { marking: Span[]; resumed: Span[] } {
  const marking: Span[] = [];
  const resumed: Span[] = [];
  let begin: number | undefined;
  let ends: number[] = [];
  const close = (): void => {
    const [first, last] = [ends[0], ends.at(-1)];
    if (begin !== undefined && last !== undefined) marking.push({ startNs: begin, endNs: last });
    if (first !== undefined && last !== undefined && last > first) resumed.push({ startNs: first, endNs: last });
    ends = [];
  };
  for (const { reason, startNs, totalNs } of [...pauses].sort((a, b) => a.startNs - b.startNs)) {
    if (reason === 2) {
      close();
      begin = startNs + totalNs;
    } else if (reason === 1) ends.push(startNs + totalNs);
  }
  close();
  return { marking, resumed };
}

const within = (times: readonly number[], spans: readonly Span[], beforeNs: number, afterNs: number): number =>
  times.filter((ns) => spans.some(({ startNs, endNs }) => ns >= startNs - beforeNs && ns <= endNs + afterNs)).length;

/** Surely in one of them, and possibly. */
const bounds = (times: readonly number[], spans: readonly Span[]): [number, number] => [
  within(times, spans, -edgeNs, -edgeNs),
  within(times, spans, edgeNs, lateEndNs),
];

function expectBetween(count: number, [least, most]: [number, number]): void {
  expect(count).toBeGreaterThanOrEqual(least);
  expect(count).toBeLessThanOrEqual(most);
}

const occurred = ({ counts }: Run, what: 'heapGrows' | 'mmapFailures' | 'allocationFailures') => ({
  count: sum(counts.map((event) => event[what].count)),
  whileMarking: sum(counts.map((event) => event[what].whileMarking)),
});
const waited = ({ histograms }: Run, kind: 'mmap' | 'munmap') => {
  const ours = histograms.filter(({ of }) => of === kind);
  return {
    count: sum(ours.map(({ count }) => count)),
    sumNs: sum(ours.map(({ sumNs }) => sumNs)),
    whileMarking: sum(ours.map(({ whileMarking }) => whileMarking?.count ?? 0)),
    whileMarkingNs: sum(ours.map(({ whileMarking }) => whileMarking?.sumNs ?? 0)),
  };
};

describe.skipIf(missing !== '')(`what begins while a cycle marks${missing}`, () => {
  let binary = '';
  beforeAll(() => {
    buildProbe();
    binary = buildMarking();
  }, 300_000);
  afterAll(removeTemporaryFolders);

  it('is nothing where none does (GOGC=off)', async () => {
    const seen = await run(binary, 'map 500');
    expect(waited(seen, 'mmap')).toMatchObject({ whileMarking: 0, whileMarkingNs: 0 });
    expect(waited(seen, 'mmap').count).toBeGreaterThanOrEqual(seen.grantedNs.length + seen.refusedNs.length);
    expect(waited(seen, 'munmap').count).toBeGreaterThanOrEqual(seen.grantedNs.length);
    expect(occurred(seen, 'mmapFailures')).toEqual({ count: seen.refusedNs.length, whileMarking: 0 });
    expect(occurred(seen, 'allocationFailures')).toEqual({ count: seen.refusedNs.length, whileMarking: 0 });
    expect(occurred(seen, 'heapGrows')).toMatchObject({ whileMarking: 0 });
    expect(occurred(seen, 'heapGrows').count).toBeGreaterThan(0);
  });

  it.each([
    ['collect', 'cycles that end at their first mark termination'],
    ['leaks', 'cycles that resume marking after it'],
  ])('is counted call by call: %s, %s', async (request) => {
    const seen = await run(binary, `${request} ${cycles}`);
    const { marking, resumed } = spansOf(seen.pauses);
    expect(marking).toHaveLength(cycles);
    const calls = [...seen.grantedNs, ...seen.refusedNs];
    const mmaps = waited(seen, 'mmap');
    // The runtime's own calls, few beside the program's, come on top.
    const own = mmaps.count - calls.length;
    expect(own).toBeGreaterThanOrEqual(0);
    const [least, most] = bounds(calls, marking);
    expectBetween(mmaps.whileMarking, [least, most + own]);
    expectBetween(occurred(seen, 'mmapFailures').whileMarking, bounds(seen.refusedNs, marking));
    expectBetween(occurred(seen, 'allocationFailures').whileMarking, bounds(seen.refusedNs, marking));
    // Neither all nor none: the join tells the two apart.
    expect(least).toBeGreaterThan(50);
    expect(calls.length - most).toBeGreaterThan(50);
    expect(mmaps.whileMarkingNs).toBeGreaterThan(0);
    expect(mmaps.whileMarkingNs).toBeLessThan(mmaps.sumNs);
    if (request === 'leaks') {
      // Taken for the end, the first mark termination would leave these out, but in a cycle whose end is told as late as may be.
      expect(least - within(calls, spansBefore(marking, resumed), edgeNs, edgeNs)).toBeGreaterThan(50);
    } else expect(resumed).toEqual([]);
  });
});

/** The marking spans, cut where marking was resumed. */
function spansBefore(marking: readonly Span[], resumed: readonly Span[]): Span[] {
  return marking.map((span) => {
    const cut = resumed.find(({ endNs }) => endNs === span.endNs);
    return cut ? { ...span, endNs: cut.startNs } : span;
  });
}
