import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutFor } from '../gobin/index.ts';
import type { ControllerBooks } from './controller-books.ts';
import {
  committedGoalBytes,
  endedCycles,
  type GcSettings,
  type GcWordName,
  type GcWords,
  inWords,
  isBetweenCycles,
  readWords,
  sameWords,
  whatFell,
  whyInvalid,
  whyNotTheBooks,
  wordsOf,
  writesBetween,
} from './gc-settings.ts';
import type { GcWork } from './gc-work.ts';

const found = layoutFor(26);
if (found === undefined) throw new Error('no layout of Go 1.26');
const layout = found;
const mib = 1024 * 1024;

/** What stood in the memory of `probe/testdata/churn` after a cycle: settings, their words, live heap, stacks, globals, goal. */
const real: readonly [string, GcSettings, readonly [bigint, bigint, bigint], number, number, number, number | null][] =
  [
    [
      '1.22.12',
      { gcPercent: -1, memoryLimitBytes: 200 * mib },
      [4294967295n, 184467440737053573n, 209715200n],
      19755384,
      8424,
      416000,
      null,
    ],
    [
      '1.22.12',
      { gcPercent: 37, memoryLimitBytes: null },
      [37n, 1551892n, 9223372036854775807n],
      19755664,
      8424,
      416000,
      27222296,
    ],
    [
      '1.22.12',
      { gcPercent: 1, memoryLimitBytes: null },
      [1n, 41943n, 9223372036854775807n],
      1401648,
      8528,
      416000,
      1419909,
    ],
    [
      '1.23.12',
      { gcPercent: 100, memoryLimitBytes: null },
      [100n, 4194304n, 9223372036854775807n],
      19768080,
      8592,
      155664,
      39700416,
    ],
    [
      '1.23.12',
      { gcPercent: 750, memoryLimitBytes: 3072 * mib },
      [750n, 31457280n, 3221225472n],
      201432,
      8472,
      155664,
      31457280,
    ],
    [
      '1.24.13',
      { gcPercent: 37, memoryLimitBytes: null },
      [37n, 1551892n, 9223372036854775807n],
      19772392,
      8456,
      156834,
      27149334,
    ],
    [
      '1.24.13',
      { gcPercent: 750, memoryLimitBytes: 3072 * mib },
      [750n, 31457280n, 3221225472n],
      205040,
      8456,
      156834,
      31457280,
    ],
    [
      '1.25.8',
      { gcPercent: 100, memoryLimitBytes: null },
      [100n, 4194304n, 9223372036854775807n],
      19776384,
      8472,
      158682,
      39719922,
    ],
    [
      '1.25.8',
      { gcPercent: 1, memoryLimitBytes: null },
      [1n, 41943n, 9223372036854775807n],
      1422288,
      8456,
      158682,
      1438182,
    ],
    [
      '1.26.8',
      { gcPercent: 37, memoryLimitBytes: null },
      [37n, 1551892n, 9223372036854775807n],
      19797272,
      8648,
      159914,
      27184630,
    ],
    [
      '1.26.8',
      { gcPercent: 750, memoryLimitBytes: 3072 * mib },
      [750n, 31457280n, 3221225472n],
      230368,
      8648,
      159914,
      31457280,
    ],
    [
      '1.26.8',
      { gcPercent: -1, memoryLimitBytes: 200 * mib },
      [4294967295n, 184467440737053573n, 209715200n],
      19797328,
      8648,
      159914,
      null,
    ],
  ];

const settings: fc.Arbitrary<GcSettings> = fc.record({
  gcPercent: fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 100_000 })),
  memoryLimitBytes: fc.option(fc.integer({ min: 4 * mib, max: 2 ** 47 })),
});
const size = fc.nat(2 ** 46);
const heap = fc.record({ heapMarkedBytes: size, lastStackScanBytes: size, globalsScanBytes: size });

/** Struct bytes in which these words stand. */
function controllerOf(words: GcWords): Buffer {
  const bytes = Buffer.alloc(layout.sizeBytes);
  const zero: GcWords = { heapMinimum: 0n, gcPercent: 0n, memoryLimit: 0n };
  for (const write of writesBetween(zero, words, layout)) write.bytes.copy(bytes, write.offset);
  return bytes;
}

/** Books that agree with each other, between two cycles. */
function booksOf(goalBytes: number | null, over: Partial<ControllerBooks> = {}): ControllerBooks {
  return {
    atNs: 9_000,
    gcPercent: 100,
    memoryLimitBytes: null,
    heapMinimumBytes: 4 * mib,
    heapGoalBytes: goalBytes,
    goalByMemoryLimit: false,
    gcPercentHeapGoalBytes: goalBytes,
    sweepDistMinTriggerBytes: 0,
    triggeredBytes: null,
    lastHeapGoalBytes: 0,
    heapLiveBytes: 21 * mib,
    heapMarkedBytes: 20 * mib,
    lastStackScanBytes: 8_472,
    globalsScanBytes: 158_682,
    assistNs: 0,
    dedicatedNs: 0,
    fractionalNs: 0,
    idleNs: 0,
    markStartNs: 5_000,
    totalAllocBytes: 900 * mib,
    totalFreeBytes: 880 * mib,
    mappedReadyBytes: 60 * mib,
    heapInUseBytes: 30 * mib,
    heapReleasedBytes: 0,
    heapFreeBytes: 0,
    ...over,
  };
}

const calmWork: GcWork = {
  cycles: 7,
  procs: 2,
  sweepTerminationAtNs: 5_000,
  markAtNs: 5_100,
  markTerminationAtNs: 6_000,
  endAtNs: 6_100,
  assistNs: 10,
  dedicatedNs: 20,
  idleNs: 30,
  pauseNs: 40,
};

describe('settings as words of the collector', () => {
  it.each(real)('go%s: $gcPercent is written as the runtime itself writes it', (_, given, words) => {
    const [gcPercent, heapMinimum, memoryLimit] = words;
    expect(wordsOf(given)).toEqual({ gcPercent, heapMinimum, memoryLimit });
  });

  it.each(real)(
    'go%s: the goal of $gcPercent is the one that its next cycle computed',
    (_, given, __, live, stacks, globals, goal) => {
      const books = { heapMarkedBytes: live, lastStackScanBytes: stacks, globalsScanBytes: globals };
      expect(committedGoalBytes(books, given.gcPercent)).toBe(goal);
    },
  );

  it('are found again where they were put', () => {
    fc.assert(
      fc.property(settings, (given) => {
        const controller = controllerOf(wordsOf(given));
        expect(readWords(controller, layout)).toEqual(wordsOf(given));
        expect(controller.readInt32LE(layout.fields.gcPercent.offset)).toBe(given.gcPercent);
      }),
    );
  });

  it('change by aligned words of their own, in which nothing else lies', () => {
    fc.assert(
      fc.property(settings, settings, (from, to) => {
        const before = Buffer.alloc(layout.sizeBytes, 0xa5);
        for (const write of writesBetween({ heapMinimum: 0n, gcPercent: 0n, memoryLimit: 0n }, wordsOf(from), layout))
          write.bytes.copy(before, write.offset);
        const after = Buffer.from(before);
        const writes = writesBetween(readWords(before, layout), wordsOf(to), layout);
        for (const { offset, bytes } of writes) {
          expect(offset % bytes.length).toBe(0);
          bytes.copy(after, offset);
        }
        expect(readWords(after, layout)).toEqual(wordsOf(to));
        const mayDiffer = new Set(
          writes.flatMap(({ offset, bytes }) => Array.from(bytes, (_, index) => offset + index)),
        );
        expect(mayDiffer.size).toBeLessThanOrEqual(20);
        after.forEach((byte, index) => {
          if (!mayDiffer.has(index)) expect(byte).toBe(before[index]);
        });
        if (sameWords(wordsOf(from), wordsOf(to))) expect(writes).toEqual([]);
      }),
    );
  });

  it('stopped after any word bound the heap no less than before and after: off never leaves its least heap to another GOGC', () => {
    fc.assert(
      fc.property(settings, settings, heap, (from, to, books) => {
        const standing: Record<GcWordName, bigint> = { ...wordsOf(from) };
        const loosest = (name: GcWordName): bigint =>
          wordsOf(from)[name] > wordsOf(to)[name] ? wordsOf(from)[name] : wordsOf(to)[name];
        for (const { name } of writesBetween(wordsOf(from), wordsOf(to), layout)) {
          standing[name] = wordsOf(to)[name];
          for (const other of ['heapMinimum', 'gcPercent', 'memoryLimit'] as const)
            expect(standing[other]).toBeLessThanOrEqual(loosest(other));
          const percent = Number(BigInt.asIntN(32, standing.gcPercent));
          expect(standing.heapMinimum).toBeLessThanOrEqual(
            wordsOf({ gcPercent: percent, memoryLimitBytes: null }).heapMinimum,
          );
          const goal = committedGoalBytes(books, percent) ?? Number.POSITIVE_INFINITY;
          const bound = (by: GcSettings): number => committedGoalBytes(books, by.gcPercent) ?? Number.POSITIVE_INFINITY;
          expect(goal).toBeLessThanOrEqual(Math.max(bound(from), bound(to)));
        }
      }),
    );
  });

  it('lower before they raise: a limit goes down before GOGC goes up, and up after GOGC has come down', () => {
    const namesOf = (from: GcSettings, to: GcSettings): string[] =>
      writesBetween(wordsOf(from), wordsOf(to), layout).map(({ name }) => name);
    const off: GcSettings = { gcPercent: -1, memoryLimitBytes: 300 * mib };
    const plain: GcSettings = { gcPercent: 100, memoryLimitBytes: null };
    expect(namesOf(plain, off)).toEqual(['memoryLimit', 'gcPercent', 'heapMinimum']);
    expect(namesOf(off, plain)).toEqual(['heapMinimum', 'gcPercent', 'memoryLimit']);
    expect(namesOf(plain, { ...plain, gcPercent: 50 })).toEqual(['heapMinimum', 'gcPercent']);
  });
});

describe('settings that nobody should want', () => {
  it.each<[number, number | null, RegExp]>([
    [0, null, /GOGC=0 is no whole number from 1/],
    [-2, null, /GOGC=-2/],
    [100_001, null, /GOGC=100001/],
    [2 ** 31, null, /GOGC/],
    [50.5, null, /GOGC/],
    [Number.NaN, null, /GOGC/],
    [Number.POSITIVE_INFINITY, null, /GOGC/],
    [100, 0, /GOMEMLIMIT=0 is no whole number of bytes from 4194304/],
    [100, 1_000, /GOMEMLIMIT/],
    [100, -1, /GOMEMLIMIT/],
    [100, 2 ** 48, /GOMEMLIMIT/],
    [100, 5e7 + 0.5, /GOMEMLIMIT/],
    [100, Number.NaN, /GOMEMLIMIT/],
  ])('GOGC %s with a limit of %s is refused in a sentence', (gcPercent, memoryLimitBytes, sentence) => {
    expect(whyInvalid({ gcPercent, memoryLimitBytes })).toMatch(sentence);
  });

  it('are no others', () => {
    fc.assert(fc.property(settings, (given) => whyInvalid(given) === undefined));
    expect(inWords({ gcPercent: -1, memoryLimitBytes: null })).toBe('GOGC=off and no GOMEMLIMIT');
    expect(inWords({ gcPercent: 80, memoryLimitBytes: 5e8 })).toBe('GOGC=80 and GOMEMLIMIT=500000000');
  });

  it('are those whose goal no 64 bits could hold: none that is accepted overflows', () => {
    fc.assert(
      fc.property(settings, fc.nat(2 ** 47 - 1), ({ gcPercent }, heapMarkedBytes) => {
        const rest = 2 ** 47 - heapMarkedBytes;
        const goal = committedGoalBytes(
          { heapMarkedBytes, lastStackScanBytes: Math.floor(rest / 2), globalsScanBytes: Math.floor(rest / 2) },
          gcPercent,
        );
        if (goal !== null) expect(goal).toBeLessThan(2 ** 64);
      }),
    );
  });
});

describe('where in a cycle a program is', () => {
  it.each<[string, Partial<GcWork>, boolean, number | undefined]>([
    ['between two', {}, true, 7],
    [
      'before its first',
      { cycles: 0, sweepTerminationAtNs: 0, markAtNs: 0, markTerminationAtNs: 0, endAtNs: 0 },
      true,
      0,
    ],
    ['beginning one that is not counted yet', { sweepTerminationAtNs: 7_000 }, false, undefined],
    ['beginning one', { cycles: 8, sweepTerminationAtNs: 7_000 }, false, undefined],
    ['marking', { cycles: 8, sweepTerminationAtNs: 7_000, markAtNs: 7_050 }, false, 7],
    [
      'ending one',
      { cycles: 8, sweepTerminationAtNs: 7_000, markAtNs: 7_050, markTerminationAtNs: 7_900 },
      false,
      undefined,
    ],
  ])('%s', (_, over, isBetween, ended) => {
    const work = { ...calmWork, ...over };
    expect(isBetweenCycles(work)).toBe(isBetween);
    expect(endedCycles(work)).toBe(ended);
  });
});

describe('the two books of the collector bear each other out', () => {
  const words = wordsOf({ gcPercent: 100, memoryLimitBytes: null });
  const goal = committedGoalBytes(booksOf(null), 100);

  it('when goal, least heap and the beginning of the cycle agree', () => {
    expect(whyNotTheBooks(booksOf(goal), words, calmWork)).toBeUndefined();
  });

  it('also while a GOGC written since waits for its cycle, and where a write was stopped before the least heap', () => {
    expect(whyNotTheBooks(booksOf(goal, { gcPercent: 400 }), words, calmWork)).toBeUndefined();
    expect(whyNotTheBooks(booksOf(goal, { gcPercent: -1 }), words, calmWork)).toBeUndefined();
    expect(whyNotTheBooks(booksOf(null, { gcPercent: 100 }), words, calmWork)).toBeUndefined();
  });

  it('whatever the GOGC and the heap', () => {
    fc.assert(
      fc.property(settings, heap, (given, sizes) => {
        const books = booksOf(committedGoalBytes(sizes, given.gcPercent), { ...sizes, gcPercent: given.gcPercent });
        expect(whyNotTheBooks(books, wordsOf(given), calmWork)).toBeUndefined();
      }),
    );
  });

  it('in every real program', () => {
    for (const [, given, , heapMarkedBytes, lastStackScanBytes, globalsScanBytes, goalBytes] of real) {
      const over = { heapMarkedBytes, lastStackScanBytes, globalsScanBytes, gcPercent: given.gcPercent };
      expect(whyNotTheBooks(booksOf(goalBytes, over), wordsOf(given), calmWork)).toBeUndefined();
    }
  });

  it.each<[string, ControllerBooks, GcWords, RegExp]>([
    ['a cycle that began at two times', booksOf(goal, { markStartNs: 5_001 }), words, /began at 5001 ns by one/],
    ['a least heap above that of GOGC', booksOf(goal), { ...words, heapMinimum: words.heapMinimum + 1n }, /least heap/],
    ['the least heap of off with a GOGC', booksOf(goal), { ...words, heapMinimum: 184467440737053573n }, /least heap/],
    ['a goal of no GOGC', booksOf((goal ?? 0) + 1_000), words, /no GOGC makes a goal/],
    ['a goal below the live heap', booksOf(mib + 1), words, /no GOGC makes a goal/],
    ['other roots than the goal was made of', booksOf(goal, { globalsScanBytes: 1_000_000 }), words, /no GOGC/],
  ])('not with %s', (_, books, standing, sentence) => {
    expect(whyNotTheBooks(books, standing, calmWork)).toMatch(sentence);
  });

  it('not once in a thousand of numbers that only look like a goal', () => {
    const misses = fc.sample(fc.noBias(fc.integer({ min: 20 * mib, max: 2 ** 46 })), { numRuns: 20_000, seed: 1 });
    const taken = misses.filter((bytes) => whyNotTheBooks(booksOf(bytes), words, calmWork) === undefined);
    expect(taken.length).toBeLessThan(20);
  });
});

describe('counters of a running program', () => {
  const look = { books: booksOf(null), work: calmWork };

  it('stay or grow', () => {
    expect(whatFell(look, look)).toBeUndefined();
    const later = {
      books: booksOf(null, { totalAllocBytes: 901 * mib }),
      work: { ...calmWork, cycles: 8, endAtNs: 8_000 },
    };
    expect(whatFell(look, later)).toBeUndefined();
    expect(whatFell(later, look)).toMatch(/bytes allocated fell/);
  });

  it.each<[RegExp, Partial<GcWork>]>([
    [/cycles fell from 7 to 6/, { cycles: 6 }],
    [/end of the latest cycle fell/, { endAtNs: 1 }],
    [/assists fell/, { assistNs: 9 }],
    [/stopped fell/, { pauseNs: 39 }],
  ])('are named when they do not: %s', (sentence, over) => {
    expect(whatFell(look, { ...look, work: { ...calmWork, ...over } })).toMatch(sentence);
  });
});
