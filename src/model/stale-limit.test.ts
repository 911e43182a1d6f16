import { describe, expect, it } from 'vitest';
import { followGoMemLimit, type SeenGoMemLimit, STALE_AFTER, staleSentence } from './stale-limit.ts';
import { syntheticWindow } from './testing.ts';

const MIB = 2 ** 20;

/** After stretches of windows, each with a GOMEMLIMIT and a memory limit in MiB. */
function findingAfter(...stretches: [windows: number, goMemLimit: number | null, limit: number | null][]) {
  let seen: SeenGoMemLimit | undefined;
  for (const [windows, go, limit] of stretches) {
    const [goMemLimitBytes, memoryLimitBytes] = [go, limit].map((mib) => (mib === null ? null : mib * MIB));
    const window = syntheticWindow(1, {
      gc: { goMemLimitBytes: goMemLimitBytes ?? null },
      cgroup: { memoryLimitBytes: memoryLimitBytes ?? null },
    });
    for (let i = 0; i < windows; i++) seen = followGoMemLimit(seen, window, '90%');
  }
  return seen?.finding;
}

describe('a GOMEMLIMIT that does not match the memory limit', () => {
  it('above it is stale once it has lasted, with what would fit', () => {
    expect(findingAfter([STALE_AFTER - 1, 200, 128])).toBeUndefined();
    const stale = findingAfter([STALE_AFTER, 200, 128]);
    expect(stale && staleSentence(stale)).toBe(
      'GOMEMLIMIT of 200 MiB is above the memory limit of 128 MiB: the kernel kills before the collector holds back; 115 MiB would fit.',
    );
  });

  it('left behind by a resize is stale, with what the container could use', () => {
    const stale = findingAfter([5, 115, 128], [STALE_AFTER, 115, 256]);
    expect(stale && staleSentence(stale)).toContain('is left from a smaller memory limit, which is 256 MiB now');
  });

  it.each<[string, Parameters<typeof findingAfter>]>([
    ['far below a limit that was never another: a team may want that', [[99, 64, 256]]],
    [
      'followed by GOMEMLIMIT',
      [
        [5, 115, 128],
        [9, 115, 256],
        [99, 230, 256],
      ],
    ],
    [
      'undone before it lasted',
      [
        [5, 115, 128],
        [20, 115, 256],
        [5, 115, 128],
        [20, 115, 256],
      ],
    ],
    ['without a GOMEMLIMIT', [[99, null, 128]]],
    [
      'without a memory limit any more',
      [
        [STALE_AFTER, 200, 128],
        [1, 200, null],
      ],
    ],
  ])('is no finding: %s', (_, stretches) => {
    expect(findingAfter(...stretches)).toBeUndefined();
  });

  it('is a finding no more when it is set anew', () => {
    expect(findingAfter([STALE_AFTER, 200, 128], [1, 115, 128])).toBeUndefined();
  });
});
