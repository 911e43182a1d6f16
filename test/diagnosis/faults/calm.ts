/** Nothing is wrong with it. */
import { busyNeighbour, labelled, load, slowPeers } from './words.ts';

export const calm = labelled('Calm', [
  { name: '1,000 sessions, mixed', noise: null, robot: load({ gogc: 100 }) },
  { name: '3,000 timers', noise: null, robot: load({ gogc: 100, mode: 'timer', sessions: 3_000 }) },
  { name: '2,000 messages a second', noise: null, robot: load({ gogc: 200, mode: 'message', messages: 2_000 }) },
  { name: 'a bus cycle', noise: null, robot: load({ gogc: 100, mode: 'state', transitions: 600, busCycleMs: 100 }) },
  { name: 'at rest', noise: null, robot: load({ gogc: 50, sessions: 4_000 }), once: { paused: true } },
  {
    name: '1,500 sessions beside a busy neighbour',
    noise: 'a neighbour that keeps a core busy',
    robot: load({ gogc: 100, sessions: 1_500 }),
    beside: [busyNeighbour(1)],
  },
  {
    name: 'load in waves',
    noise: 'four times the messages every few seconds',
    robot: load({ gogc: 100, mode: 'message', sessions: 2_000, messages: 1_000 }),
    recurring: { everyMs: 2_500, changes: [{ messagesPerSecond: 4_000 }, { messagesPerSecond: 1_000 }] },
  },
  {
    name: 'files read in a wide container',
    noise: 'another process of the container reads files; there is room for them',
    robot: load({ gogc: 100, sessions: 2_000 }),
    container: { memoryMib: 512 },
    beside: [{ companion: { does: 'churn', fileMib: 64 }, where: 'container' }],
  },
  {
    name: 'a burst now and then',
    noise: '24 MiB allocated at once every three seconds',
    robot: load({ gogc: 100, sessions: 1_000 }),
    recurring: { everyMs: 3_000, changes: [{ burstBytes: 24 << 20 }] },
  },
  {
    name: 'a container of half a core that suffices',
    noise: 'a CPU limit that is met in a few periods',
    robot: load({ gogc: 150, sessions: 800 }),
    container: { cpuCores: 0.6 },
  },
]);

export const notGc = labelled('NotGc', [
  { name: 'TLS to a slow peer', noise: null, robot: load({ gogc: 100 }), beside: [slowPeers('shake', '200ms')] },
  {
    name: 'TLS to a slow peer, timers',
    noise: null,
    robot: load({ gogc: 100, mode: 'timer', sessions: 2_500 }),
    beside: [slowPeers('shake', '1s')],
  },
  {
    name: 'a peer that does not answer',
    noise: null,
    robot: load({ gogc: 100, mode: 'message', messages: 1_500 }),
    beside: [slowPeers('dial', '100ms')],
  },
  {
    name: 'a peer that does not answer, state machines',
    noise: null,
    robot: load({ gogc: 50, mode: 'state', sessions: 600, transitions: 150 }),
    policy: { thresholds: { connect: '1s' } },
    beside: [slowPeers('dial', '500ms')],
  },
  {
    name: 'both',
    noise: null,
    robot: load({ gogc: 200, sessions: 3_000 }),
    beside: [slowPeers('dial', '200ms'), slowPeers('shake', '400ms')],
  },
  {
    name: 'TLS beside a busy neighbour',
    noise: 'a neighbour that keeps a core busy',
    robot: load({ gogc: 100 }),
    beside: [slowPeers('shake', '300ms'), busyNeighbour(1)],
  },
  {
    name: 'TLS with bursts of allocation',
    noise: '32 MiB allocated at once every two seconds',
    robot: load({ gogc: 100, sessions: 1_500 }),
    beside: [slowPeers('shake', '300ms')],
    recurring: { everyMs: 2_000, changes: [{ burstBytes: 32 << 20 }] },
  },
  {
    name: 'TLS with a GOGC below the formula',
    noise: 'GOGC 30 where the formula asks for 50: the budget is kept all the same',
    robot: load({ gogc: 30, sessions: 800 }),
    beside: [slowPeers('shake', '200ms')],
  },
  {
    name: 'a silent peer, files read in the container',
    noise: 'another process of the container reads files; there is room for them',
    robot: load({ gogc: 100, sessions: 2_000 }),
    container: { memoryMib: 512 },
    beside: [slowPeers('dial', '100ms'), { companion: { does: 'churn', fileMib: 64 }, where: 'container' }],
  },
  {
    name: 'TLS in a container with a CPU limit',
    noise: 'a CPU limit that is met in a few periods',
    robot: load({ gogc: 150, sessions: 800 }),
    container: { cpuCores: 0.6 },
    beside: [slowPeers('shake', '300ms')],
  },
]);
