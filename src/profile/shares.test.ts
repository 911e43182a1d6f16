import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProfile } from './decode.ts';
import { classOf, type FrameClass } from './frame-classes.ts';
import { gcShareOfCpu, topFunctions, totalsByClass } from './shares.ts';
import { cpuTypes, encodeProfile } from './test-support.ts';

const stackOf = (...names: string[]) => names.map((name) => ({ function: name, file: '', line: 1 }));
const profileOf = (rows: readonly (readonly [number, ...string[]])[]) =>
  decodeProfile(
    encodeProfile(
      cpuTypes,
      rows.map(([value, ...stack]) => ({ stack, values: [1, value] })),
    ),
  );

describe('classOf', () => {
  it.each<[FrameClass, string[]]>([
    [
      'mark',
      [
        'runtime.scanobject',
        'runtime.gcDrain',
        'runtime.gcBgMarkWorker.func2',
        'runtime.systemstack',
        'runtime.gcBgMarkWorker',
      ],
    ],
    ['mark', ['runtime.gcBgMarkWorker']],
    [
      'assist',
      [
        'runtime.scanobject',
        'runtime.gcDrainN',
        'runtime.gcAssistAlloc1',
        'runtime.gcAssistAlloc.func1',
        'runtime.gcAssistAlloc',
        'runtime.mallocgc',
        'main.f',
      ],
    ],
    ['sweep', ['runtime.(*sweepLocked).sweep', 'runtime.sweepone', 'runtime.bgsweep']],
    ['sweep', ['runtime.(*sweepLocked).sweep', 'runtime.(*mcentral).cacheSpan', 'runtime.mallocgc', 'main.f']],
    ['scavenge', ['runtime.madvise', 'runtime.(*pageAlloc).scavenge', 'runtime.bgscavenge']],
    ['control', ['runtime.stopTheWorldWithSema', 'runtime.gcStart', 'runtime.mallocgc', 'main.f']],
    ['write-barrier', ['runtime.wbBufFlush1', 'runtime.wbBufFlush', 'main.f']],
    ['allocate', ['runtime.nextFreeFast', 'runtime.mallocgc', 'runtime.makeslice', 'main.f']],
    ['other', ['main.f', 'main.main']],
    ['other', ['main.gcDrain', 'runtime.main']],
    ['other', []],
  ])('%s: %j', (expected, names) => {
    expect(classOf(stackOf(...names))).toBe(expected);
  });
});

describe('gcShareOfCpu', () => {
  it('is the collector’s part of the CPU time, assists included, allocation not', () => {
    const profile = profileOf([
      [10, 'runtime.gcBgMarkWorker'],
      [5, 'runtime.gcAssistAlloc', 'runtime.mallocgc', 'main.f'],
      [25, 'runtime.mallocgc', 'main.f'],
      [60, 'main.f'],
    ]);
    expect(gcShareOfCpu(profile)).toBe(0.15);
    expect(totalsByClass(profile, 'cpu')).toMatchObject({ mark: 10, assist: 5, allocate: 25, other: 60 });
  });
  it('is 0 for an empty profile and refuses a profile without CPU', () => {
    expect(gcShareOfCpu(profileOf([]))).toBe(0);
    const heap = decodeProfile(encodeProfile([['inuse_space', 'bytes']], []));
    expect(() => gcShareOfCpu(heap)).toThrow(
      expect.objectContaining({ code: 'no-such-type', message: 'the profile has no cpu, only inuse_space' }),
    );
  });
  it('classes add up to the whole', () => {
    const names = fc.array(
      fc.constantFrom(
        'runtime.mallocgc',
        'runtime.gcDrain',
        'runtime.gcAssistAlloc',
        'runtime.bgsweep',
        'main.a',
        'main.b',
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e9), names), { maxLength: 20 }), (rows) => {
        const profile = profileOf(rows.map(([value, stack]) => [value, ...stack]));
        const sum = Object.values(totalsByClass(profile, 'cpu')).reduce((total, value) => total + value, 0);
        expect(sum).toBe(rows.reduce((total, [value]) => total + value, 0));
        expect(gcShareOfCpu(profile)).toBeGreaterThanOrEqual(0);
        expect(gcShareOfCpu(profile)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('topFunctions', () => {
  it('sorts by flat, counts recursion once', () => {
    const profile = profileOf([
      [10, 'main.f', 'main.f', 'main.main'],
      [30, 'main.g', 'main.main'],
    ]);
    expect(topFunctions(profile, 'cpu')).toEqual([
      { function: 'main.g', flat: 30, cumulative: 30 },
      { function: 'main.f', flat: 10, cumulative: 10 },
      { function: 'main.main', flat: 0, cumulative: 40 },
    ]);
    expect(topFunctions(profile, 'cpu', 1).length).toBe(1);
  });
});
