/** The CPU limit stops the program in the midst of collections. */
import { busyNeighbour, labelled, load, slowPeers } from './words.ts';

export const cpuThrottling = labelled('CpuThrottling', [
  {
    name: '0.18 cores, the demo load',
    noise: null,
    robot: load({ gogc: 100, profile: 'demo' }),
    container: { cpuCores: 0.18 },
  },
  {
    name: '0.07 cores, messages',
    noise: null,
    robot: load({ gogc: 100, mode: 'message', sessions: 4_000, messages: 5_000 }),
    container: { cpuCores: 0.07 },
  },
  {
    name: '0.1 cores, state machines',
    noise: null,
    robot: load({ gogc: 100, mode: 'state', sessions: 3_000, transitions: 2_000 }),
    container: { cpuCores: 0.1 },
  },
  {
    name: '0.12 cores, timers',
    noise: null,
    robot: load({ gogc: 75, mode: 'timer', sessions: 4_000 }),
    container: { cpuCores: 0.12 },
  },
  {
    name: '0.2 cores and a limit of the team',
    noise: null,
    robot: load({ gogc: 100, profile: 'demo', messages: 6_000 }),
    container: { cpuCores: 0.2 },
    policy: { thresholds: { throttledShare: '25%' } },
  },
  {
    name: '0.16 cores beside a busy neighbour',
    noise: 'a neighbour that keeps half a core busy',
    robot: load({ gogc: 100, profile: 'demo' }),
    container: { cpuCores: 0.16 },
    beside: [busyNeighbour(0.5)],
  },
  {
    name: 'half a core, most of it for another process of the container',
    noise: 'it is the other that uses up the limit',
    robot: load({ gogc: 100, sessions: 4_000, messages: 3_000, transitions: 1_000 }),
    container: { cpuCores: 0.5 },
    beside: [{ companion: { does: 'spin' }, where: 'container' }],
  },
  {
    name: '0.08 cores and a slow peer',
    noise: 'another process of the container shakes hands with a slow peer',
    robot: load({ gogc: 100, mode: 'message', sessions: 5_000, messages: 6_000 }),
    container: { cpuCores: 0.08 },
    beside: [slowPeers('shake', '300ms')],
  },
  {
    name: '0.1 cores and GOGC a little too low',
    noise: 'GOGC 40 where the formula asks for 50',
    robot: load({ gogc: 40, mode: 'state', sessions: 3_000, transitions: 1_500 }),
    container: { cpuCores: 0.1 },
  },
  {
    name: '0.15 cores with bursts',
    noise: '32 MiB allocated at once every three seconds',
    robot: load({ gogc: 100, sessions: 5_000, messages: 4_000, transitions: 1_000 }),
    container: { cpuCores: 0.15 },
    recurring: { everyMs: 3_000, changes: [{ burstBytes: 32 << 20 }] },
  },
]);
