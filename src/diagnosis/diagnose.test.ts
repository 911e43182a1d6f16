import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SIGNALS, type SignalName } from '../api/index.ts';
import { checkOf, deriveThresholds } from '../model/index.ts';
import {
  calmKernelMemory,
  memoryWaits,
  stalls,
  syntheticSpec,
  syntheticWindows,
  type WindowOver,
} from '../model/testing.ts';
import { diagnose } from './diagnose.ts';
import type { Evidence } from './evidence.ts';

const MIB = 2 ** 20;
const spec = syntheticSpec();
const thresholds = deriveThresholds(spec);
const evidenceOf = (count: number, over: (seq: number) => WindowOver, more: Partial<Evidence> = {}): Evidence => ({
  windows: syntheticWindows(count, over),
  spec,
  thresholds,
  ...more,
});
const first = (evidence: Evidence) => diagnose(evidence)[0];

/** GOGC 10 under 10 000 robots: some 30 % of the CPU goes to GC. */
const busy: WindowOver = {
  activeRobots: 10_000,
  gcStall: stalls(40, 200),
  gc: { gogc: 10, cpuShare: 0.3, cycles: 8, heapLiveBytes: 64 * MIB, heapGoalBytes: 70 * MIB },
};

describe('GOGC too low', () => {
  it('is named with the value to arrive at', () => {
    const finding = first(evidenceOf(20, () => busy));
    expect(finding).toMatchObject({ cause: 'GogcTooLow', remedy: 'Raise GOGC from 10 towards 100.' });
    expect(finding?.confidence).toBeGreaterThan(0.8);
    expect(finding?.evidence.join()).toContain('GC CPU share 30 %');
  });

  it('gains confidence from a CPU profile that shows GC', () => {
    const without = first(evidenceOf(20, () => busy))?.confidence ?? 1;
    const withProfile = first(evidenceOf(20, () => busy, { capture: { gcCpuShareOfProfile: 0.4 } }))?.confidence;
    expect(withProfile).toBeGreaterThan(without);
  });

  it('works with an unknown number of robots: the base is what every policy asks for', () => {
    const finding = first(evidenceOf(20, () => ({ ...busy, activeRobots: null })));
    expect(finding).toMatchObject({ cause: 'GogcTooLow', remedy: 'Raise GOGC from 10 towards 50.' });
  });

  it('is not it where GOGC is at the formula already: then allocation is, and nothing of ours helps', () => {
    const finding = first(evidenceOf(20, () => ({ ...busy, gc: { ...busy.gc, gogc: 100 } })));
    expect(finding).toMatchObject({ cause: 'AllocationBound' });
    expect(finding?.remedy).toBeUndefined();
  });

  it('is not it where a higher GOGC would not fit under the memory limit', () => {
    const evidence = evidenceOf(20, () => ({ ...busy, cgroup: { memoryLimitBytes: 76 * MIB } }));
    expect(diagnose(evidence).map(({ cause }) => cause)).not.toContain('GogcTooLow');
  });

  it('is not it where the memory limit triggers the cycles', () => {
    const evidence = evidenceOf(20, () => ({ ...busy, gc: { ...busy.gc, limitDrivenCycles: 6 } }));
    expect(diagnose(evidence).map(({ cause }) => cause)).not.toContain('GogcTooLow');
  });

  it('stays first where a collection that runs too often uses up the CPU quota', () => {
    const evidence = evidenceOf(20, () => ({ ...busy, cgroup: { throttledShare: 0.5, cpuLimitCores: 1 } }));
    expect(diagnose(evidence).map(({ cause }) => cause)).toEqual(['GogcTooLow', 'CpuThrottling']);
  });
});

describe('memory limit too tight', () => {
  const pressed: WindowOver = { cgroup: { memoryPressure: { some: 0.3, full: 0.05 }, memoryCurrentBytes: 500 * MIB } };

  it('is named under pressure near the limit', () => {
    expect(first(evidenceOf(20, () => pressed))).toMatchObject({ cause: 'MemoryLimitTooTight' });
  });

  it('is named where pages are read again and again at the limit, though kubelet does not count them as in use', () => {
    const thrashing = (refaultsFilePerSecond: number) => () => ({
      cgroup: {
        ...pressed.cgroup,
        workingSetBytes: 300 * MIB,
        events: { low: 0, high: 0, max: 40, oom: 0, oomKill: 0 },
        reclaim: {
          majorFaultsPerSecond: 0,
          refaultsAnonPerSecond: 0,
          refaultsFilePerSecond,
          pagesScannedPerSecond: null,
          pagesStolenPerSecond: null,
        },
      },
    });
    expect(first(evidenceOf(20, thrashing(50_000)))).toMatchObject({
      cause: 'MemoryLimitTooTight',
      evidence: expect.arrayContaining([
        'up to 50000 pages a second came back soon after they were evicted, at the limit in 20 of 20 windows',
      ]),
    });
    expect(diagnose(evidenceOf(20, thrashing(10)))).toEqual([]);
  });

  it('tells whose limit was met, the container’s or that of its pod, which is no ground by itself', () => {
    const events = { low: 0, high: 0, max: 2, oom: 0, oomKill: 0, oomGroupKill: 0 };
    const met = { events, podMaxEvents: 40 };
    expect(first(evidenceOf(20, () => ({ cgroup: met })))?.cause).toBe('NotGc');
    const evidence = evidenceOf(20, (seq) => ({ cgroup: { ...pressed.cgroup, ...(seq === 19 ? met : {}) } }));
    expect(first(evidence)?.evidence).toContain("memory.max was met 42 times: the container's own 2, its pod's 40");
  });

  it('is not it under pressure far from the limit', () => {
    const evidence = evidenceOf(20, () => ({ cgroup: { ...pressed.cgroup, memoryCurrentBytes: 100 * MIB } }));
    expect(diagnose(evidence)).toEqual([]);
  });

  it.each<[string, (seq: number) => WindowOver]>([
    ['one window at a time', (seq) => (seq % 4 === 0 ? pressed : {})],
    ['a limit that only page cache fills', () => ({ cgroup: { ...pressed.cgroup, workingSetBytes: 100 * MIB } })],
  ])('is not it under pressure with %s', (_, over) => {
    expect(diagnose(evidenceOf(20, over)).map(({ cause }) => cause)).not.toContain('MemoryLimitTooTight');
  });

  it.each<[string, WindowOver]>([
    [
      'cycles that the limit drives',
      { gcStall: stalls(40), gc: { ...busy.gc, limitDrivenCycles: 7, goMemLimitBytes: 80 * MIB } },
    ],
    ['a live heap that fills GOMEMLIMIT', { gcStall: stalls(40), gc: { ...busy.gc, goMemLimitBytes: 80 * MIB } }],
    ['OOM kills', { ...busy, cgroup: { oomKills: 1 } }],
  ])('outranks GOGC where there are %s', (_, over) => {
    expect(first(evidenceOf(20, () => over))?.cause).toBe('MemoryLimitTooTight');
  });
});

describe('a leak', () => {
  const growing = (perSecond: number) => (seq: number) => ({ gc: { heapLiveBytes: (50 + perSecond * seq) * MIB } });

  it('is live heap that grows and goes on growing; it is never tuned away', () => {
    const finding = first(evidenceOf(300, growing(0.5)));
    expect(finding).toMatchObject({ cause: 'Leak' });
    expect(finding?.remedy).toBeUndefined();
    expect(finding?.summary).toContain('30 MiB a minute');
  });

  it('is known in half the time where memory is about to end', () => {
    const near = (seq: number): WindowOver => ({
      ...growing(1)(seq),
      cgroup: { memoryCurrentBytes: (400 + seq) * MIB, memoryPressure: { some: 0.3, full: 0.2 } },
    });
    expect(first(evidenceOf(80, near))?.cause).toBe('Leak');
    expect(diagnose(evidenceOf(80, growing(1))).map(({ cause }) => cause)).not.toContain('Leak');
  });

  it('outranks a GOGC that is too low', () => {
    const evidence = evidenceOf(300, (seq) => ({ ...busy, gc: { ...busy.gc, ...growing(0.3)(seq).gc } }));
    const [leak, ...others] = diagnose(evidence);
    expect(leak?.cause).toBe('Leak');
    expect(others.find(({ cause }) => cause === 'GogcTooLow')?.confidence).toBeLessThan(0.2);
  });

  it.each<[string, number, (seq: number) => WindowOver]>([
    ['a start-up that levels off', 300, (seq) => ({ gc: { heapLiveBytes: (50 + Math.min(seq, 120)) * MIB } })],
    [
      'growth that turned into swings of load',
      300,
      (seq) => ({ gc: { heapLiveBytes: (seq < 150 ? 50 + seq : 200 + 0.6 * (seq - 150) + 4 * (seq % 20)) * MIB } }),
    ],
    ['less than two minutes', 100, growing(1)],
    ['as many more robots', 300, (seq) => ({ ...growing(0.5)(seq), activeRobots: 1000 + 10 * seq })],
    ['a saw-tooth', 300, (seq) => ({ gc: { heapLiveBytes: (50 + (seq % 40)) * MIB } })],
    ['a stable heap', 300, () => ({})],
  ])('is not %s', (_, count, over) => {
    expect(diagnose(evidenceOf(count, over)).map(({ cause }) => cause)).not.toContain('Leak');
  });
});

describe('goroutines that are left behind', () => {
  const growing = (seq: number): WindowOver => ({
    gc: { rootsBytes: (1 + 0.05 * seq) * MIB, heapLiveBytes: (50 + 0.3 * seq) * MIB },
  });

  it('are stacks to scan that grow and go on growing; what they hold on to is no leak of its own', () => {
    const [finding, ...others] = diagnose(evidenceOf(300, growing));
    expect(finding).toMatchObject({ cause: 'GoroutineLeak', summary: expect.stringContaining('3 MiB a minute') });
    expect(finding?.remedy).toBeUndefined();
    expect(others.find(({ cause }) => cause === 'Leak')?.confidence).toBeLessThan(0.4);
  });

  it.each<[string, (seq: number) => WindowOver]>([
    ['as many more robots', (seq) => ({ ...growing(seq), activeRobots: 1000 + 50 * seq })],
    ['a few deeper stacks', (seq) => ({ gc: { rootsBytes: MIB / 4 + 1000 * seq } })],
    ['a heap that grows alone', (seq) => ({ gc: { heapLiveBytes: (50 + seq) * MIB } })],
  ])('are not %s', (_, over) => {
    expect(diagnose(evidenceOf(300, over)).map(({ cause }) => cause)).not.toContain('GoroutineLeak');
  });
});

describe('others', () => {
  it('names CPU throttling that lengthens collections', () => {
    const evidence = evidenceOf(20, () => ({
      gcStall: stalls(60),
      cgroup: { throttledShare: 0.7, cpuLimitCores: 0.5 },
    }));
    expect(first(evidence)).toMatchObject({ cause: 'CpuThrottling' });
  });

  it('names CPU throttling in most periods before anything else, though no budget is broken', () => {
    const throttled = () => ({ cgroup: { throttledShare: 0.9, cpuLimitCores: 0.5 } });
    expect(diagnose(evidenceOf(20, throttled)).map(({ cause }) => cause)).toEqual(['CpuThrottling', 'NotGc']);
    const seldom = () => ({ cgroup: { throttledShare: 0.3, cpuLimitCores: 0.5 } });
    expect(first(evidenceOf(20, seldom))?.cause).toBe('NotGc');
  });

  it('does not act on a GOGC that is a little too low while the CPU limit lengthens what the collector costs', () => {
    const [finding, ...others] = diagnose(
      evidenceOf(20, () => ({
        gc: { gogc: 40, cpuShare: 0.1 },
        cgroup: { throttledShare: 0.9, cpuLimitCores: 0.1 },
      })),
    );
    expect(finding?.cause).toBe('CpuThrottling');
    expect(others.find(({ cause }) => cause === 'GogcTooLow')?.confidence).toBeLessThan(0.4);
  });

  it('says that it is not GC where every budget is kept', () => {
    expect(diagnose(evidenceOf(20, () => ({}))).map(({ cause, remedy }) => [cause, remedy])).toEqual([
      ['NotGc', undefined],
    ]);
  });

  it('names the slow handshakes and connections that were seen meanwhile', () => {
    const none = { ...stalls(0, 0), failed: 0 };
    const network = {
      tlsClient: { ...stalls(812, 3), failed: 1 },
      tlsServer: { ...stalls(499, 3), failed: 0 },
      openssl: none,
      connect: { ...stalls(3100, 1), failed: 1 },
      read: { ...stalls(9000, 5), failed: 0 },
    };
    const finding = first(evidenceOf(20, (seq) => (seq >= 18 ? { network } : {})));
    expect(finding).toMatchObject({ cause: 'NotGc', confidence: 0.9 });
    expect(finding?.evidence.slice(0, 3)).toEqual([
      'TLS handshake (client): up to 812 ms, over the limit of 500 ms in 2 of 20 windows, 2 failed',
      'TCP connect: up to 3100 ms, over the limit of 3000 ms in 2 of 20 windows, 2 failed',
      expect.stringContaining('GC CPU share'),
    ]);
  });

  it('holds network phases against the limits that the policy sets', () => {
    const network = {
      tlsClient: { ...stalls(300, 3), failed: 0 },
      tlsServer: { ...stalls(0, 0), failed: 0 },
      openssl: { ...stalls(0, 0), failed: 0 },
      connect: { ...stalls(0, 0), failed: 0 },
      read: { ...stalls(0, 0), failed: 0 },
    };
    const strict = deriveThresholds(syntheticSpec({ thresholds: { tlsHandshake: '250ms' } }));
    const over = () => ({ network });
    expect(first(evidenceOf(20, over))?.confidence).toBe(0.8);
    expect(first(evidenceOf(20, over, { thresholds: strict }))?.confidence).toBe(0.9);
  });

  it('tells of stops of the world that are not the collector’s, and of profiling by somebody else', () => {
    const stops = (count: number, profiling: number) => ({ otherPause: { ...stalls(12, count), profiling } });
    const told = (over: (seq: number) => WindowOver) => first(evidenceOf(20, over))?.evidence;
    expect(told((seq) => (seq < 2 ? stops(3, 2) : stops(0, 0)))).toContain(
      "stops of the world besides the collector's: 6, up to 12 ms, 4 of them by profiling that is not ours",
    );
    expect(told((seq) => (seq === 7 ? stops(1, 0) : {}))).toContain(
      "stops of the world besides the collector's: 1, up to 12 ms",
    );
    expect(told(() => ({}))?.join()).not.toContain('stops of the world');
  });

  it('is less sure of that where probe events were lost', () => {
    expect(first(evidenceOf(20, () => ({ lostEvents: 1 })))?.confidence).toBeLessThan(0.5);
  });

  it('knows nothing without windows', () => expect(diagnose(evidenceOf(0, () => ({})))).toEqual([]));
});

describe('a network that was slow while a limit was broken', () => {
  const none = { ...stalls(0, 0), failed: 0 };
  const network = (slow: Partial<NonNullable<WindowOver['network']>>) => ({
    network: { tlsClient: none, tlsServer: none, openssl: none, connect: none, read: none, ...slow },
  });
  const slow = network({ openssl: { ...stalls(900, 1), failed: 0 }, connect: { ...stalls(3200, 2), failed: 1 } });
  const pressed: WindowOver = { cgroup: { memoryPressure: { some: 0.3, full: 0 }, memoryCurrentBytes: 100 * MIB } };
  const sentences = [
    'TLS handshake (OpenSSL): up to 900 ms, over the limit of 500 ms in 5 of 20 windows',
    'TCP connect: up to 3200 ms, over the limit of 3000 ms in 5 of 20 windows, 5 failed',
  ];

  it.each<[string, string, (seq: number) => WindowOver]>([
    ['GOGC too low', 'GogcTooLow', () => busy],
    ['a tight memory limit', 'MemoryLimitTooTight', () => ({ ...busy, cgroup: { oomKills: 1 } })],
    ['a leak', 'Leak', (seq) => ({ ...busy, gc: { ...busy.gc, heapLiveBytes: (50 + 0.5 * seq) * MIB } })],
  ])('stands in the evidence of %s, which stays the first cause', (_, cause, over) => {
    const evidence = evidenceOf(300, (seq) => ({ ...over(seq), ...(seq >= 295 ? slow : {}) }));
    const [finding] = diagnose(evidence);
    expect(finding?.cause).toBe(cause);
    expect(finding?.evidence.slice(-2)).toEqual(
      sentences.map((sentence) => `also slow meanwhile: ${sentence.replace('of 20', 'of 60')}`),
    );
  });

  it('is a cause of its own where most of it lies in seconds without a stall over the limit, after what explains the breach', () => {
    const found = diagnose(evidenceOf(20, (seq) => (seq < 5 ? slow : busy)));
    expect(found.map(({ cause }) => cause)).toEqual(['GogcTooLow', 'NotGc']);
    expect(found[1]).toMatchObject({ confidence: 0.25 });
    expect(found[1]?.evidence.slice(0, 3)).toEqual([
      ...sentences,
      'in 100 % of those 5 windows garbage collection kept to its budget',
    ]);
  });

  it.each<[string, (seq: number) => WindowOver]>([
    ['in the seconds of the stalls: those may be what made it slow', () => ({ ...busy, ...slow })],
    ['but within its limits', (seq) => (seq < 5 ? network({ openssl: { ...stalls(400), failed: 0 } }) : busy)],
    ['nowhere: nobody watched it', (seq) => (seq < 5 ? {} : busy)],
  ])('is no cause %s', (_, over) => {
    expect(diagnose(evidenceOf(20, over)).map(({ cause }) => cause)).not.toContain('NotGc');
  });

  it('is the cause where memory was short and nothing else of it fits', () => {
    const [finding] = diagnose(evidenceOf(20, (seq) => ({ ...pressed, ...(seq < 5 ? slow : {}) })));
    expect(finding).toMatchObject({
      cause: 'NotGc',
      confidence: 0.5,
      summary: 'Garbage collection kept to its budget; the program waited for the network.',
    });
  });

  it('does not explain what is no latency: a heap that is larger than the team wants', () => {
    const strict = deriveThresholds(syntheticSpec({ thresholds: { heapLive: '10Mi' } }));
    const [finding] = diagnose(evidenceOf(20, () => slow, { thresholds: strict, trigger: 'heapLive' }));
    expect(finding?.cause).toBe('Unexplained');
    expect(finding?.evidence.at(-2)).toContain('also slow meanwhile: TLS handshake (OpenSSL)');
  });

  it('shows reads that waited while a capture watched them, without a verdict', () => {
    const read = network({ read: { ...stalls(2100, 40), failed: 0 } });
    const told = first(evidenceOf(20, (seq) => ({ ...busy, ...(seq >= 17 ? read : {}) })))?.evidence;
    expect(told?.at(-1)).toBe(
      'reads that waited for data: 120 in the 3 windows in which they were watched, P99 up to 2100 ms, longest 2100 ms; connections at rest are among them',
    );
  });
});

describe('memory of the node', () => {
  const node = (some: number) => ({ memory: { some, full: 0 }, cpu: null, io: null });
  const pressed: WindowOver = {
    cgroup: { memoryPressure: { some: 0.3, full: 0 }, memoryCurrentBytes: 100 * MIB, node: node(0.5) },
  };

  it('is named where the node is short of it and the container far from its limit; none of ours', () => {
    const finding = first(evidenceOf(20, () => pressed));
    expect(finding).toMatchObject({ cause: 'NodePressure' });
    expect(finding?.remedy).toBeUndefined();
    expect(finding?.confidence).toBeGreaterThan(0.7);
    expect(finding?.evidence.slice(0, 2)).toEqual([
      'memory pressure (some) of the node up to 50 %, over 10 % in 20 of 20 windows',
      'the container waited for memory in 20 windows, in 100 % of them the node was under pressure',
    ]);
    expect(finding?.summary).toContain('at most 19.5 % of its limit');
  });

  it('is named of a container without a limit, and where its reclaim is what broke a limit of the team', () => {
    const own = { ...pressed.cgroup, memoryPressure: null, memoryLimitBytes: null };
    const reclaim = { ...calmKernelMemory, reclaimDirect: memoryWaits(30) };
    const strict = deriveThresholds(syntheticSpec({ thresholds: { reclaimStall: '20ms' } }));
    const finding = first(evidenceOf(20, () => ({ cgroup: own, kernelMemory: reclaim }), { thresholds: strict }));
    expect(finding).toMatchObject({
      cause: 'NodePressure',
      summary: expect.stringContaining('without a limit of its own'),
    });
  });

  const others = { ...calmKernelMemory, reclaimMemcg: memoryWaits(30) };
  const noHits = { low: 0, high: 0, max: 0, oom: 0, oomKill: 0 };

  it('is named where a limit above the container is what its threads free memory for', () => {
    const own = { ...pressed.cgroup, node: node(0.05), events: noHits };
    const finding = first(evidenceOf(20, () => ({ cgroup: own, kernelMemory: others })));
    expect(finding?.cause).toBe('NodePressure');
    expect(finding?.evidence[1]).toBe(
      "in 20 windows its threads had to free memory for a limit that is not the container's own",
    );
    const hits = { ...own, events: { ...noHits, max: 3 } };
    expect(diagnose(evidenceOf(20, () => ({ cgroup: hits, kernelMemory: others })))).toEqual([]);
  });

  it('is named where a process is killed that is far from its own limit; near it, the limit is', () => {
    const killed = (memoryCurrentBytes: number) => () => ({
      cgroup: { oomKills: 1, memoryCurrentBytes, events: noHits },
    });
    expect(first(evidenceOf(20, killed(100 * MIB)))?.cause).toBe('NodePressure');
    expect(first(evidenceOf(20, killed(500 * MIB)))?.cause).toBe('MemoryLimitTooTight');
  });

  it.each<[string, (seq: number) => WindowOver]>([
    ['a calm node', () => ({ cgroup: { ...pressed.cgroup, node: node(0.05) } })],
    ['a container at its limit', () => ({ cgroup: { ...pressed.cgroup, memoryCurrentBytes: 500 * MIB } })],
    ['a container at memory.high', () => ({ cgroup: { ...pressed.cgroup, memoryHighBytes: 105 * MIB } })],
    ['a node that nobody reads', () => ({ cgroup: { ...pressed.cgroup, node: null } })],
    [
      'a container that waits while the node is at ease',
      (seq) => ({
        cgroup: {
          ...pressed.cgroup,
          memoryPressure: { some: seq < 16 ? 0.3 : 0, full: 0 },
          node: node(seq < 16 ? 0 : 0.5),
        },
      }),
    ],
    [
      'a container within its limits',
      () => ({ cgroup: { ...pressed.cgroup, memoryPressure: { some: 0.02, full: 0 } } }),
    ],
  ])('is not it with %s', (_, over) => {
    expect(diagnose(evidenceOf(20, over)).map(({ cause }) => cause)).not.toContain('NodePressure');
  });
});

describe('a world that is slow to stop', () => {
  const slow: WindowOver = { gcStall: stalls(60), gcPause: stalls(60, 2), gcStopping: stalls(55, 2) };

  it('is named where stopping makes up the pauses that break the limit; none of ours', () => {
    const finding = first(evidenceOf(20, () => ({ ...slow, gc: { gogc: 100 } })));
    expect(finding).toMatchObject({ cause: 'SlowStopping', summary: expect.stringContaining('up to 55 ms to stop') });
    expect(finding?.remedy).toBeUndefined();
    expect(finding?.confidence).toBeGreaterThan(0.7);
    expect(finding?.evidence.slice(0, 2)).toEqual([
      'in 20 of the 20 windows with a stall over 30 ms, stopping was half of the longest pause or more',
      'stopping is 91.7 % of all pause time, 40 pauses',
    ]);
  });

  it('is named after one stop that lasted for seconds: the windows in which nothing ran show nothing', () => {
    const evidence = evidenceOf(20, (seq) =>
      seq === 15 ? { gcStall: stalls(4000, 2), gcPause: stalls(4000, 2), gcStopping: stalls(3990, 2) } : {},
    );
    expect(first(evidence)?.cause).toBe('SlowStopping');
  });

  it('is no less certain for the CPU that the runtime charges to the collector while it waits', () => {
    const charged = { ...slow, gcPause: { ...stalls(60, 2), sumNs: 100e6 }, gc: { gogc: 100, cpuShare: 0.12 } };
    const work = { ...charged, gc: { gogc: 100, cpuShare: 0.4 } };
    const confidenceOf = (over: WindowOver) =>
      diagnose(evidenceOf(20, () => over)).find(({ cause }) => cause === 'SlowStopping')?.confidence;
    expect(confidenceOf(charged)).toBeGreaterThan(confidenceOf(work) ?? 1);
  });

  it('is named where the team set a limit for it', () => {
    const strict = deriveThresholds(syntheticSpec({ thresholds: { stoppingP99: '2ms' } }));
    const over = () => ({ gcStall: stalls(4), gcPause: stalls(4, 2), gcStopping: stalls(3, 2) });
    expect(first(evidenceOf(20, over, { thresholds: strict, trigger: 'stoppingP99' }))?.cause).toBe('SlowStopping');
  });

  it('is the lesser cause where the CPU limit stops the threads', () => {
    const evidence = evidenceOf(20, () => ({ ...slow, cgroup: { throttledShare: 0.8, cpuLimitCores: 0.5 } }));
    expect(
      diagnose(evidence)
        .map(({ cause }) => cause)
        .slice(0, 2),
    ).toEqual(['CpuThrottling', 'SlowStopping']);
  });

  it.each<[string, WindowOver]>([
    ['a short stop phase', { ...slow, gcStopping: stalls(3, 2) }],
    ['assists that take longer', { gcStall: stalls(60), gcPause: stalls(5, 2), gcStopping: stalls(5, 2) }],
    ['a program that does not tell', { ...slow, gcStopping: undefined }],
    ['stalls within their limit', { gcStall: stalls(20), gcPause: stalls(20, 2), gcStopping: stalls(19, 2) }],
  ])('is not it with %s', (_, over) => {
    expect(diagnose(evidenceOf(20, () => over)).map(({ cause }) => cause)).not.toContain('SlowStopping');
  });

  it('leaves the first place to a GOGC that makes the collector use up the CPU', () => {
    expect(first(evidenceOf(20, () => ({ ...busy, ...slow, gc: busy.gc ?? null })))?.cause).toBe('GogcTooLow');
  });
});

describe('mapping of memory', () => {
  const mapping = (ms: number) => ({
    ...calmKernelMemory,
    mmap: memoryWaits(ms, { whileMarking: { count: 1, sumNs: ms * 1e6 } }),
    heapGrows: { count: 2, whileMarking: 1 },
  });
  /** Every second window stalls, and a slow mmap lies in it. */
  const together = (seq: number): WindowOver =>
    seq % 2 === 0 ? { gcStall: stalls(60), kernelMemory: mapping(45) } : { kernelMemory: mapping(0.1) };

  it('is named where stalls and slow calls fall together; none of ours', () => {
    const finding = diagnose(evidenceOf(20, together)).find(({ cause }) => cause === 'MemoryMapping');
    expect(finding?.remedy).toBeUndefined();
    expect(finding?.confidence).toBeGreaterThan(0.5);
    expect(finding?.summary).toContain('up to 45 ms');
    expect(finding?.evidence.slice(0, 3)).toEqual([
      '10 mmap calls of 1 ms and longer in 10 of 20 windows, 40 times the heap grew',
      '450 ms of the waits in these (mmap, munmap) began while the collector was marking',
      'in 100 % of the 10 windows with a stall over its limit a call took half of the limit or longer',
    ]);
  });

  it('is named where the rate of slow calls is what broke a limit of the team', () => {
    const strict = deriveThresholds(syntheticSpec({ thresholds: { mmapSlowRate: 0 } }));
    const over = () => ({ kernelMemory: mapping(2) });
    expect(first(evidenceOf(20, over, { thresholds: strict }))).toMatchObject({ cause: 'MemoryMapping' });
  });

  it('comes before stalls of the collector where it is what opened the incident', () => {
    const strict = deriveThresholds(syntheticSpec({ thresholds: { mmapSlowRate: 0 } }));
    const also = (): WindowOver => ({
      kernelMemory: mapping(2),
      gcStall: stalls(60),
      gcPause: stalls(60, 2),
      gcStopping: stalls(40, 2),
    });
    const causes = (trigger: SignalName) =>
      diagnose(evidenceOf(20, also, { thresholds: strict, trigger }))
        .map(({ cause }) => cause)
        .slice(0, 2);
    expect(causes('mmapSlowRate')).toEqual(['MemoryMapping', 'SlowStopping']);
    expect(causes('gcStallP99')).toEqual(['SlowStopping', 'MemoryMapping']);
  });

  it.each<[string, (seq: number) => WindowOver]>([
    ['calls far shorter than the stalls', (seq) => ({ ...together(seq), kernelMemory: mapping(2) })],
    ['slow calls in all windows alike', (seq) => ({ ...together(seq), kernelMemory: mapping(45) })],
    ['stalls in other windows', (seq) => ({ ...together(seq), kernelMemory: mapping(seq % 2 === 1 ? 45 : 0.1) })],
    ['no stall over its limit', (seq) => ({ ...together(seq), gcStall: stalls(5) })],
    ['nobody watching it', (seq) => ({ gcStall: together(seq).gcStall ?? stalls(1) })],
  ])('is not it with %s', (_, over) => {
    expect(diagnose(evidenceOf(20, over)).map(({ cause }) => cause)).not.toContain('MemoryMapping');
  });

  it('leaves the first place to a GOGC that makes the collector use up the CPU', () => {
    const evidence = evidenceOf(20, (seq) => ({ ...busy, ...together(seq), gc: busy.gc ?? null }));
    expect(first(evidence)?.cause).toBe('GogcTooLow');
  });
});

describe('page faults', () => {
  const reading = (majorFaultsPerSecond: number | null): WindowOver => ({
    cgroup: {
      swapBytes: 30 * MIB,
      reclaim: {
        majorFaultsPerSecond,
        refaultsAnonPerSecond: null,
        refaultsFilePerSecond: null,
        pagesScannedPerSecond: null,
        pagesStolenPerSecond: null,
      },
    },
  });
  const together = (seq: number): WindowOver => (seq % 2 === 0 ? { gcStall: stalls(60), ...reading(120) } : reading(0));

  it('are named where stalls and faults fall together; none of ours', () => {
    const finding = diagnose(evidenceOf(20, together)).find(({ cause }) => cause === 'PageFaults');
    expect(finding?.remedy).toBeUndefined();
    expect(finding?.confidence).toBeGreaterThan(0.6);
    expect(finding?.evidence.slice(0, 3)).toEqual([
      '10 major page faults a second and more in 10 of 20 windows, up to 120',
      'in 100 % of the 10 windows with a stall over its limit',
      '30 MiB swapped out',
    ]);
  });

  it('are named where their rate is what broke a limit of the team', () => {
    const strict = deriveThresholds(syntheticSpec({ thresholds: { majorFaultRate: 50 } }));
    const evidence = evidenceOf(20, () => reading(120), { thresholds: strict, trigger: 'majorFaultRate' });
    expect(first(evidence)?.cause).toBe('PageFaults');
  });

  it.each<[string, (seq: number) => WindowOver]>([
    ['faults in all windows alike', (seq) => ({ ...together(seq), ...reading(120) })],
    ['a few faults', (seq) => ({ ...together(seq), ...reading(seq % 2 === 0 ? 5 : 0) })],
    ['a kernel that does not count them', (seq) => ({ ...together(seq), ...reading(null) })],
    ['no stall over its limit', (seq) => ({ ...together(seq), gcStall: stalls(5) })],
  ])('are not it with %s', (_, over) => {
    expect(diagnose(evidenceOf(20, over)).map(({ cause }) => cause)).not.toContain('PageFaults');
  });
});

describe('a breach of a signal that the team set a limit for', () => {
  const over = (thresholdsOf: Record<string, unknown>, window: WindowOver, trigger: SignalName) =>
    diagnose(
      evidenceOf(20, () => window, {
        thresholds: deriveThresholds(syntheticSpec({ thresholds: thresholdsOf })),
        trigger,
      }),
    );

  it.each<[string, string, Record<string, unknown>, WindowOver, SignalName]>([
    ['too many cycles', 'GogcTooLow', { gcRate: 5 }, { gc: { gogc: 10, cycles: 20 } }, 'gcRate'],
    ['throttling', 'CpuThrottling', { throttledShare: '10%' }, { cgroup: { throttledShare: 0.2 } }, 'throttledShare'],
    [
      'use near the limit',
      'MemoryLimitTooTight',
      { memoryShareOfLimit: '80%' },
      { cgroup: { memoryCurrentBytes: 480 * MIB } },
      'memoryShareOfLimit',
    ],
    ['an OOM kill', 'MemoryLimitTooTight', { oomKills: 0 }, { cgroup: { oomKills: 1 } }, 'oomKills'],
    [
      'no room below GOMEMLIMIT',
      'MemoryLimitTooTight',
      { liveHeapShareOfLimit: '50%' },
      { gc: { goMemLimitBytes: 80 * MIB } },
      'liveHeapShareOfLimit',
    ],
    ['allocation', 'Unexplained', { allocationRate: '10Mi' }, {}, 'allocationRate'],
    ['a large heap', 'Unexplained', { heapLive: '10Mi' }, {}, 'heapLive'],
    ['long pauses', 'Unexplained', { gcPauseMax: '5ms' }, { gcPause: stalls(9) }, 'gcPauseMax'],
  ])('%s is %s', (_, cause, thresholdsOf, window, trigger) => {
    const [finding] = over(thresholdsOf, window, trigger);
    expect(finding?.cause).toBe(cause);
    if (cause !== 'GogcTooLow' && cause !== 'MemoryLimitTooTight') expect(finding?.remedy).toBeUndefined();
  });

  it('is told with its numbers where no cause fits', () => {
    const [finding] = over({ heapLive: '10Mi' }, {}, 'heapLive');
    expect(finding).toMatchObject({
      summary: 'None of the causes that robotgc knows fits live heap over its limit.',
      confidence: 0,
      evidence: expect.arrayContaining(['live heap up to 64 MiB over 20 windows, limit 10 MiB']),
    });
  });
});

describe('whatever the windows', () => {
  const anyWindow = fc.record({
    gcStall: fc.record({ p99: fc.integer({ min: 0, max: 100 }), count: fc.integer({ min: 1, max: 500 }) }),
    gogc: fc.integer({ min: -1, max: 800 }),
    cpuShare: fc.double({ min: 0, max: 0.6, noNaN: true }),
    live: fc.integer({ min: 0, max: 600 }),
    current: fc.integer({ min: 0, max: 512 }),
    some: fc.double({ min: 0, max: 1, noNaN: true }),
    throttled: fc.double({ min: 0, max: 1, noNaN: true }),
    limitDriven: fc.boolean(),
    stopping: fc.integer({ min: 0, max: 100 }),
    mmap: fc.integer({ min: 0, max: 100 }),
    nodeSome: fc.double({ min: 0, max: 1, noNaN: true }),
    faults: fc.integer({ min: 0, max: 200 }),
  });
  const evidences = fc.array(anyWindow, { maxLength: 30 }).map((list) =>
    evidenceOf(list.length, (seq) => {
      const w = list[seq];
      if (!w) return {};
      return {
        gcStall: stalls(w.gcStall.p99, w.gcStall.count),
        gcStopping: stalls(Math.min(w.stopping, w.gcStall.p99), 2),
        kernelMemory: { ...calmKernelMemory, mmap: { ...calmKernelMemory.mmap, maxNs: w.mmap * 1e6, slow: w.mmap } },
        gc: {
          gogc: w.gogc,
          cpuShare: w.cpuShare,
          heapLiveBytes: w.live * MIB,
          limitDrivenCycles: w.limitDriven ? 1 : 0,
        },
        cgroup: {
          memoryCurrentBytes: w.current * MIB,
          memoryPressure: { some: w.some, full: w.some / 3 },
          throttledShare: w.throttled,
          node: { memory: { some: w.nodeSome, full: 0 }, cpu: null, io: null },
          reclaim: {
            majorFaultsPerSecond: w.faults,
            refaultsAnonPerSecond: null,
            refaultsFilePerSecond: null,
            pagesScannedPerSecond: null,
            pagesStolenPerSecond: null,
          },
        },
      };
    }),
  );

  it('is ranked, within 0 to 1, with evidence, and the same each time', () => {
    fc.assert(
      fc.property(evidences, (evidence) => {
        const found = diagnose(evidence);
        expect(found).toEqual(diagnose(evidence));
        for (const { confidence, evidence: lines, refutedBy } of found) {
          expect(confidence).toBeGreaterThanOrEqual(0);
          expect(confidence).toBeLessThanOrEqual(1);
          expect(lines.length).toBeGreaterThan(0);
          expect(refutedBy).toBeTruthy();
        }
        expect(found.map(({ confidence }) => confidence)).toEqual(
          found.map(({ confidence }) => confidence).sort((a, b) => b - a),
        );
      }),
    );
  });

  it('gives no remedy where no signal was in breach', () => {
    fc.assert(
      fc.property(evidences, (evidence) => {
        const calm = {
          ...evidence,
          thresholds: {
            ...thresholds,
            gcStallP99Ns: 1e12,
            gcCpuShare: 1,
            memoryPressureSome: 1,
            memoryPressureFull: 1,
          },
        };
        const acting = diagnose(calm).filter(({ cause, remedy }) => remedy !== undefined && cause === 'GogcTooLow');
        expect(acting).toEqual([]);
      }),
    );
  });

  it('always answers for the signal that opened the incident, and proposes a change only where a cause of ours was found', () => {
    fc.assert(
      fc.property(evidences, fc.constantFrom(...SIGNALS), (evidence, trigger) => {
        const found = diagnose({ ...evidence, trigger });
        const told = evidence.windows.some((window) => checkOf(trigger).observe(window) !== undefined);
        if (told) expect(found.length).toBeGreaterThan(0);
        for (const { cause, remedy } of found) {
          if (remedy !== undefined) expect(['GogcTooLow', 'MemoryLimitTooTight']).toContain(cause);
        }
      }),
    );
  });
});
