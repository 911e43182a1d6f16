import { describe, expect, it } from 'vitest';
import {
  parseCount,
  parseCpuMax,
  parseCpuStatV1,
  parseCpuStatV2,
  parseEventsV2,
  parseLimitV1,
  parseLimitV2,
  parseMemoryStatV1,
  parseMemoryStatV2,
  parseOomKillV1,
  parseQuotaV1,
} from './parse.ts';

describe('limits', () => {
  it.each([
    ['max\n', { value: null }],
    ['134217728\n', { value: 134217728 }],
    ['0\n', { value: 0 }],
    ['-1\n', undefined],
    ['', undefined],
  ])('v2 %j', (text, expected) => expect(parseLimitV2(text)).toEqual(expected));

  it.each([
    ['9223372036854771712\n', { value: null }],
    ['18446744073709551615\n', { value: null }],
    ['134217728\n', { value: 134217728 }],
    ['max\n', undefined],
  ])('v1 %j', (text, expected) => expect(parseLimitV1(text)).toEqual(expected));

  it.each([
    ['max 100000\n', { value: null }],
    ['50000 100000\n', { value: 0.5 }],
    ['350000 100000\n', { value: 3.5 }],
    ['50000 0\n', undefined],
    ['50000\n', undefined],
    ['', undefined],
  ])('cpu.max %j', (text, expected) => expect(parseCpuMax(text)).toEqual(expected));
});

describe('counters', () => {
  it.each(['', 'x', '1.5', '-3', '999999999999999999999'])('%j is no count', (text) =>
    expect(parseCount(text)).toBeUndefined(),
  );

  it('memory.events, with lines that newer kernels add', () => {
    const text = 'low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\nsock_throttled 7\n';
    expect(parseEventsV2(text)).toEqual({ low: 1, high: 2, max: 3, oom: 4, oomKill: 5, oomGroupKill: 6 });
    expect(parseEventsV2('high 2\nmax 3\noom 4\noom_kill 5\n')).toMatchObject({ low: null, oomGroupKill: null });
    expect(parseEventsV2('low 0\nhigh 0\n')).toBeUndefined();
  });

  it('memory.oom_control, and cpu.stat and quota of v1', () => {
    expect(parseOomKillV1('oom_kill_disable 0\nunder_oom 0\noom_kill 3\n')).toBe(3);
    expect(parseOomKillV1('oom_kill_disable 0\nunder_oom 0\n')).toBeUndefined();
    expect(parseCpuStatV1('nr_periods 2\nnr_throttled 1\nthrottled_time 3\nnr_bursts 0\n')).toEqual({
      nrPeriods: 2,
      nrThrottled: 1,
      throttledNs: 3,
    });
    expect(parseCpuStatV1('')).toBeUndefined();
    expect(parseQuotaV1('-1\n')).toEqual({ value: null });
    expect(parseQuotaV1('50000\n')).toEqual({ value: 50_000 });
    expect(parseQuotaV1('-2\n')).toBeUndefined();
  });

  it('cpu.stat, also without the cpu controller', () => {
    const usage = 'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n';
    expect(parseCpuStatV2(`${usage}nr_periods 10\nnr_throttled 3\nthrottled_usec 70\n`)).toEqual({
      usageNs: 1_500_000,
      nrPeriods: 10,
      nrThrottled: 3,
      throttledNs: 70_000,
    });
    expect(parseCpuStatV2(usage)).toEqual({ usageNs: 1_500_000, nrPeriods: 0, nrThrottled: 0, throttledNs: 0 });
    expect(parseCpuStatV2('')).toBeUndefined();
  });
});

describe('memory.stat', () => {
  it('v2, with one refault figure before Linux 5.9', () => {
    expect(parseMemoryStatV2('anon 1\nfile 2\ninactive_file 3\npgmajfault 4\nworkingset_refault 5\n')).toEqual({
      anonBytes: 1,
      fileBytes: 2,
      inactiveFileBytes: 3,
      majorFaults: 4,
      refaultsAnon: null,
      refaultsFile: 5,
      pagesScanned: null,
      pagesStolen: null,
    });
  });

  it('v2 as Linux 6.12 writes it, with keys that begin alike', () => {
    const text =
      'anon 1\nanon_thp 91\nfile 2\nfile_mapped 92\ninactive_anon 93\ninactive_file 3\nworkingset_refault_anon 5\n' +
      'workingset_refault_file 6\npgscan 7\npgsteal 8\npgscan_kswapd 94\npgsteal_direct 95\npgfault 96\npgmajfault 4\n';
    expect(parseMemoryStatV2(text)).toEqual({
      anonBytes: 1,
      fileBytes: 2,
      inactiveFileBytes: 3,
      majorFaults: 4,
      refaultsAnon: 5,
      refaultsFile: 6,
      pagesScanned: 7,
      pagesStolen: 8,
    });
  });

  it('v1 counts the groups below, as v2 does', () => {
    const text =
      'cache 1\nrss 2\ninactive_file 3\npgmajfault 4\ntotal_cache 10\ntotal_rss 20\ntotal_inactive_file 30\ntotal_pgmajfault 40\n';
    expect(parseMemoryStatV1(text)).toEqual({
      anonBytes: 20,
      fileBytes: 10,
      inactiveFileBytes: 30,
      majorFaults: 40,
      refaultsAnon: null,
      refaultsFile: null,
      pagesScanned: null,
      pagesStolen: null,
    });
  });

  it('neither reads the other, nor nothing', () => {
    expect(parseMemoryStatV1('anon 1\nfile 2\n')).toBeUndefined();
    expect(parseMemoryStatV2('rss 1\ncache 2\n')).toBeUndefined();
    expect(parseMemoryStatV1('')).toBeUndefined();
  });
});
