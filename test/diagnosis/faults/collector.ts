/** The collector works too much: because GOGC asks for it, because the program allocates so much, or because it waits for the world to stop. */
import { busyNeighbour, labelled, load, slowPeers } from './words.ts';

export const gogcTooLow = labelled('GogcTooLow', [
  { name: 'GOGC 10, the demo load', noise: null, robot: load({ gogc: 10, profile: 'demo' }) },
  {
    name: 'GOGC 10, messages',
    noise: null,
    robot: load({ gogc: 10, mode: 'message', sessions: 6_000, messages: 12_000 }),
  },
  {
    name: 'GOGC 15, state machines',
    noise: null,
    robot: load({ gogc: 15, mode: 'state', sessions: 4_000, transitions: 2_500 }),
  },
  {
    name: 'GOGC 20, 12,000 sessions',
    noise: null,
    robot: load({ gogc: 20, sessions: 12_000, messages: 6_000, transitions: 3_000 }),
  },
  { name: 'GOGC 8, timers', noise: null, robot: load({ gogc: 8, mode: 'timer', sessions: 3_000 }) },
  {
    name: 'GOGC 10 beside a busy neighbour',
    noise: 'a neighbour that keeps a core busy',
    robot: load({ gogc: 10, profile: 'demo' }),
    beside: [busyNeighbour(1)],
  },
  {
    name: 'GOGC 12 in a container with a CPU limit',
    noise: 'a CPU limit that the collector itself meets',
    robot: load({ gogc: 12, sessions: 8_000, messages: 6_000, transitions: 1_200 }),
    container: { cpuCores: 0.8 },
  },
  {
    name: 'GOGC 15 with bursts',
    noise: '48 MiB allocated at once every three seconds',
    robot: load({ gogc: 15, sessions: 7_000, messages: 5_000, transitions: 1_500 }),
    recurring: { everyMs: 3_000, changes: [{ burstBytes: 48 << 20 }] },
  },
  {
    name: 'GOGC 10 and a slow peer',
    noise: 'another process of the container shakes hands with a slow peer',
    robot: load({ gogc: 10, profile: 'demo', transitions: 1_500 }),
    beside: [slowPeers('shake', '300ms')],
  },
  {
    name: 'GOGC 10 with work that cannot be preempted',
    noise: '40 ms in one call every two seconds',
    robot: load({ gogc: 10, profile: 'demo', busCycleMs: 50 }),
    recurring: { everyMs: 2_000, changes: [{ spinMs: 40 }] },
  },
]);

export const allocationBound = labelled('AllocationBound', [
  {
    name: 'half a gigabyte a second at once',
    noise: null,
    robot: load({ gogc: 100, sessions: 2_000 }),
    recurring: { everyMs: 1_000, changes: [{ burstBytes: 512 << 20 }] },
  },
  {
    name: 'a gigabyte every two seconds',
    noise: null,
    robot: load({ gogc: 50, sessions: 4_000 }),
    recurring: { everyMs: 2_000, changes: [{ burstBytes: 1 << 30 }] },
  },
  {
    name: '12,000 transitions a second',
    noise: null,
    robot: load({ gogc: 50, mode: 'state', sessions: 3_000, transitions: 12_000 }),
  },
  {
    name: 'a bus cycle of 200 ms',
    noise: null,
    robot: load({ gogc: 60, mode: 'state', sessions: 4_500, transitions: 10_000, busCycleMs: 200 }),
  },
  {
    name: '10,000 sessions at the bound of the policy',
    noise: null,
    robot: load({ gogc: 40, sessions: 10_000, messages: 10_000, transitions: 7_000 }),
    policy: { tuning: { gogc: { max: 40 } } },
  },
  {
    name: 'bursts beside a busy neighbour',
    noise: 'a neighbour that keeps half a core busy',
    robot: load({ gogc: 75, sessions: 3_000 }),
    beside: [busyNeighbour(0.5)],
    recurring: { everyMs: 800, changes: [{ burstBytes: 384 << 20 }] },
  },
  {
    name: 'transitions and a slow peer',
    noise: 'another process of the container shakes hands with a slow peer',
    robot: load({ gogc: 50, mode: 'state', sessions: 2_000, transitions: 11_000 }),
    beside: [slowPeers('shake', '300ms')],
  },
  {
    name: 'bursts of two sizes',
    noise: 'every third burst is small',
    robot: load({ gogc: 100, sessions: 5_000 }),
    recurring: {
      everyMs: 700,
      changes: [{ burstBytes: 448 << 20 }, { burstBytes: 512 << 20 }, { burstBytes: 32 << 20 }],
    },
  },
  {
    name: 'transitions in a container with memory to spare',
    noise: 'another process of the container reads files; there is room for them',
    robot: load({ gogc: 50, mode: 'state', sessions: 4_000, transitions: 12_000 }),
    container: { memoryMib: 768 },
    beside: [{ companion: { does: 'churn', fileMib: 64 }, where: 'container' }],
  },
  {
    name: 'bursts with a CPU limit',
    noise: 'a CPU limit that is met in some periods',
    robot: load({ gogc: 100, sessions: 3_000 }),
    container: { cpuCores: 1.6 },
    recurring: { everyMs: 1_000, changes: [{ burstBytes: 640 << 20 }] },
  },
]);

export const slowStopping = labelled('SlowStopping', [
  {
    name: '120 ms in one call, the demo load',
    noise: null,
    robot: load({ gogc: 50, profile: 'demo' }),
    recurring: { everyMs: 400, changes: [{ spinMs: 120 }] },
  },
  {
    name: '80 ms in one call, messages',
    noise: null,
    robot: load({ gogc: 50, mode: 'message', sessions: 2_000, messages: 12_000 }),
    recurring: { everyMs: 250, changes: [{ spinMs: 80 }] },
  },
  {
    name: '150 ms in one call, state machines',
    noise: null,
    robot: load({ gogc: 50, mode: 'state', sessions: 1_500, transitions: 2_500 }),
    recurring: { everyMs: 500, changes: [{ spinMs: 150 }] },
  },
  {
    name: '70 ms in one call, timers',
    noise: null,
    robot: load({ gogc: 50, mode: 'timer', sessions: 3_000 }),
    recurring: { everyMs: 240, changes: [{ spinMs: 70 }] },
  },
  {
    name: '400 ms in one call',
    noise: null,
    robot: load({ gogc: 75, sessions: 2_000, messages: 3_000, transitions: 1_000 }),
    recurring: { everyMs: 1_500, changes: [{ spinMs: 400 }] },
  },
  {
    name: '120 ms in one call beside a busy neighbour',
    noise: 'a neighbour that keeps half a core busy',
    robot: load({ gogc: 50, sessions: 3_000, messages: 4_000, transitions: 1_500 }),
    beside: [busyNeighbour(0.5)],
    recurring: { everyMs: 500, changes: [{ spinMs: 120 }] },
  },
  {
    name: 'calls of several lengths',
    noise: 'from 10 ms, which breaks nothing, to 250 ms',
    robot: load({ gogc: 50, sessions: 3_000, messages: 6_000, transitions: 1_200 }),
    recurring: { everyMs: 450, changes: [{ spinMs: 10 }, { spinMs: 250 }, { spinMs: 80 }, { spinMs: 150 }] },
  },
  {
    name: '150 ms in one call and a slow peer',
    noise: 'another process of the container shakes hands with a slow peer',
    robot: load({ gogc: 50, mode: 'state', sessions: 1_500, transitions: 2_000 }),
    beside: [slowPeers('shake', '300ms')],
    recurring: { everyMs: 600, changes: [{ spinMs: 150 }] },
  },
  {
    name: '100 ms in one call with bursts',
    noise: '24 MiB allocated at once every other time',
    robot: load({ gogc: 75, sessions: 2_000, messages: 3_000, transitions: 600 }),
    recurring: { everyMs: 400, changes: [{ spinMs: 100 }, { spinMs: 100, burstBytes: 24 << 20 }] },
  },
  {
    name: '120 ms in one call, files read in the container',
    noise: 'another process of the container reads files; there is room for them',
    robot: load({ gogc: 50, sessions: 2_000, messages: 5_000, transitions: 1_200 }),
    container: { memoryMib: 512 },
    beside: [{ companion: { does: 'churn', fileMib: 64 }, where: 'container' }],
    recurring: { everyMs: 450, changes: [{ spinMs: 120 }] },
  },
]);
