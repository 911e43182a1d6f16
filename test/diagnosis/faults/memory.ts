/** Memory: too little of it, one that is never given back, and a kernel that is slow to hand it out. */
import type { Beside, Fault } from '../fault.ts';
import { busyNeighbour, labelled, load, slowPeers } from './words.ts';

/** Reads more than there is room for: the kernel must reclaim for each page. */
function churn(fileMib: number, where: Beside['where'] = 'container'): Beside {
  return { companion: { does: 'churn', fileMib }, where };
}

export const memoryLimitTooTight = labelled('MemoryLimitTooTight', [
  {
    name: 'GOMEMLIMIT near the live heap, the demo load',
    noise: null,
    robot: load({ gogc: 100, goMemLimit: '100MiB', profile: 'demo' }),
  },
  {
    name: 'GOGC off, GOMEMLIMIT near the live heap',
    noise: null,
    robot: load({ gogc: -1, goMemLimit: '66MiB', sessions: 6_000, messages: 6_000, transitions: 1_000 }),
  },
  {
    name: 'GOMEMLIMIT near the live heap, messages',
    noise: null,
    robot: load({ gogc: 100, goMemLimit: '62MiB', mode: 'message', sessions: 6_000, messages: 10_000 }),
  },
  {
    name: 'a container of 128 MiB whose processes read files',
    noise: null,
    robot: load({ gogc: 100, sessions: 4_000, messages: 2_000, transitions: 500 }),
    container: { memoryMib: 128 },
    beside: [churn(96)],
  },
  {
    name: 'a container of 96 MiB whose processes read files',
    noise: null,
    robot: load({ gogc: 50, mode: 'message', sessions: 4_000, messages: 4_000 }),
    container: { memoryMib: 96 },
    beside: [churn(256)],
  },
  {
    name: 'GOMEMLIMIT near the live heap beside a busy neighbour',
    noise: 'a neighbour that keeps half a core busy',
    robot: load({ gogc: 200, goMemLimit: '104MiB', profile: 'demo' }),
    beside: [busyNeighbour(0.5)],
  },
  {
    name: 'GOMEMLIMIT near the live heap and a slow peer',
    noise: 'another process of the container shakes hands with a slow peer',
    robot: load({ gogc: 100, goMemLimit: '48MiB', mode: 'state', sessions: 5_000, transitions: 5_000 }),
    beside: [slowPeers('shake', '300ms')],
  },
  {
    name: 'a process of the container is killed',
    noise: null,
    robot: load({ gogc: 100, sessions: 5_000, messages: 2_000, transitions: 400 }),
    container: { memoryMib: 192 },
    beside: [{ companion: { does: 'grow', mib: 2 }, where: 'container' }],
    policy: { thresholds: { oomKills: 0 } },
  },
  {
    name: 'a container of 112 MiB and GOGC a little too low',
    noise: 'GOGC 40 where the formula asks for 50',
    robot: load({ gogc: 40, sessions: 5_000, messages: 2_000, transitions: 400 }),
    container: { memoryMib: 112 },
    beside: [churn(256)],
  },
  {
    name: 'a container of 144 MiB beside a busy neighbour',
    noise: 'a neighbour that keeps half a core busy',
    robot: load({ gogc: 100, sessions: 5_000, messages: 3_000, transitions: 400 }),
    container: { memoryMib: 144 },
    beside: [churn(96), busyNeighbour(0.5)],
  },
]);

/** All containers of the node have so much memory together: what a small machine is, and what kubelet gives to a class of pods. */
function crowdedNode(memoryMib: number, ...beside: readonly Beside[]): Pick<Fault, 'node' | 'beside'> {
  return { node: { memoryMib }, beside: [churn(256, 'node'), churn(256, 'node'), ...beside] };
}

export const nodePressure = labelled('NodePressure', [
  {
    name: '160 MiB for a robot that reads files, and for two neighbours',
    noise: null,
    robot: load({ gogc: 100, sessions: 5_000, messages: 3_000, transitions: 800 }),
    container: { memoryMib: 512 },
    ...crowdedNode(160, churn(64)),
  },
  {
    name: '128 MiB, messages',
    noise: null,
    robot: load({ gogc: 100, mode: 'message', sessions: 4_000, messages: 4_000 }),
    container: { memoryMib: 384 },
    ...crowdedNode(128, churn(48)),
  },
  {
    name: '96 MiB, timers, no limit of its own',
    noise: null,
    robot: load({ gogc: 75, mode: 'timer', sessions: 2_500 }),
    ...crowdedNode(96, churn(48)),
  },
  {
    name: '112 MiB, state machines',
    noise: null,
    robot: load({ gogc: 50, mode: 'state', sessions: 3_000, transitions: 1_500 }),
    container: { memoryMib: 512 },
    ...crowdedNode(112, churn(64)),
  },
  {
    name: '104 MiB and three neighbours',
    noise: null,
    robot: load({ gogc: 100, sessions: 2_000 }),
    container: { memoryMib: 256 },
    ...crowdedNode(104, churn(32), churn(192, 'node')),
  },
  {
    name: '160 MiB beside a busy neighbour',
    noise: 'a neighbour that keeps half a core busy',
    robot: load({ gogc: 100, sessions: 5_000, messages: 4_000, transitions: 600 }),
    container: { memoryMib: 512 },
    ...crowdedNode(160, churn(64), busyNeighbour(0.5)),
  },
  {
    name: '136 MiB and a slow peer',
    noise: 'another process of the container shakes hands with a slow peer',
    robot: load({ gogc: 100, sessions: 4_000, messages: 3_000, transitions: 400 }),
    container: { memoryMib: 384 },
    ...crowdedNode(136, churn(48), slowPeers('shake', '300ms')),
  },
  {
    name: '112 MiB and GOGC a little too low',
    noise: 'GOGC 30 where the formula asks for 50',
    robot: load({ gogc: 30, mode: 'message', sessions: 4_000, messages: 6_000 }),
    container: { memoryMib: 512 },
    ...crowdedNode(112, churn(64)),
  },
  {
    name: '144 MiB and bursts',
    noise: '24 MiB allocated at once every three seconds',
    robot: load({ gogc: 100, sessions: 3_000, messages: 2_000, transitions: 300 }),
    container: { memoryMib: 512 },
    ...crowdedNode(144, churn(48)),
    recurring: { everyMs: 3_000, changes: [{ burstBytes: 24 << 20 }] },
  },
  {
    name: '112 MiB, load in waves',
    noise: 'four times the messages every few seconds',
    robot: load({ gogc: 100, mode: 'message', sessions: 3_000, messages: 1_500 }),
    container: { memoryMib: 384 },
    ...crowdedNode(112, churn(64)),
    recurring: { everyMs: 2_500, changes: [{ messagesPerSecond: 6_000 }, { messagesPerSecond: 1_500 }] },
  },
]);

/** The kernel maps and fills so much in one call, and takes it back: in the robot's container, by another process. */
function mapping(mib: number, pause: string): Beside {
  return { companion: { does: 'map', mib, pause }, where: 'container' };
}

/** The team wants to know of slow mapping: no breach without a limit. */
const mappingLimits: readonly Fault['policy'][] = [
  { thresholds: { mmapVerySlowRate: 1 } },
  { thresholds: { mmapSlowRate: 2 } },
];

export const memoryMapping = labelled(
  'MemoryMapping',
  [
    { name: '128 MiB in one call', noise: null, robot: load({ gogc: 100 }), beside: [mapping(128, '200ms')] },
    {
      name: '64 MiB in one call, timers',
      noise: null,
      robot: load({ gogc: 100, mode: 'timer', sessions: 2_000 }),
      beside: [mapping(64, '100ms')],
    },
    {
      name: '256 MiB in one call, messages',
      noise: null,
      robot: load({ gogc: 50, mode: 'message', sessions: 3_000, messages: 3_000 }),
      beside: [mapping(256, '300ms')],
    },
    {
      name: '96 MiB in one call, state machines',
      noise: null,
      robot: load({ gogc: 100, mode: 'state', sessions: 2_000, transitions: 500 }),
      beside: [mapping(96, '250ms')],
    },
    {
      name: '64 MiB in one call, two at a time',
      noise: null,
      robot: load({ gogc: 75, sessions: 3_000 }),
      beside: [mapping(64, '150ms'), mapping(80, '200ms')],
    },
    {
      name: '128 MiB in one call beside a busy neighbour',
      noise: 'a neighbour that keeps half a core busy',
      robot: load({ gogc: 100, sessions: 2_000 }),
      beside: [mapping(128, '200ms'), busyNeighbour(0.5)],
    },
    {
      name: '96 MiB in one call and a slow peer',
      noise: 'another process of the container shakes hands with a slow peer',
      robot: load({ gogc: 100 }),
      beside: [mapping(96, '200ms'), slowPeers('shake', '300ms')],
    },
    {
      name: '128 MiB in one call and GOGC a little too low',
      noise: 'GOGC 30 where the formula asks for 50',
      robot: load({ gogc: 30, sessions: 2_000 }),
      beside: [mapping(128, '300ms')],
    },
    {
      name: '64 MiB in one call and bursts',
      noise: '32 MiB allocated at once every three seconds',
      robot: load({ gogc: 100, sessions: 2_000 }),
      beside: [mapping(64, '120ms')],
      recurring: { everyMs: 3_000, changes: [{ burstBytes: 32 << 20 }] },
    },
    {
      name: '128 MiB in one call, files read in the container',
      noise: 'another process of the container reads files; there is room for them',
      robot: load({ gogc: 100, sessions: 1_500 }),
      container: { memoryMib: 768 },
      beside: [mapping(128, '200ms'), churn(64)],
    },
  ].map((run, index) => ({ ...run, policy: mappingLimits[index % mappingLimits.length] ?? {} })),
);

function coldFile(fileMib: number): Beside {
  return { companion: { does: 'faults', fileMib }, where: 'container' };
}

export const pageFaults = labelled(
  'PageFaults',
  [
    { name: 'a mapped file of 64 MiB', noise: null, robot: load({ gogc: 100 }), beside: [coldFile(64)] },
    {
      name: 'a mapped file of 128 MiB, timers',
      noise: null,
      robot: load({ gogc: 100, mode: 'timer', sessions: 2_000 }),
      beside: [coldFile(128)],
    },
    {
      name: 'a mapped file of 32 MiB, messages',
      noise: null,
      robot: load({ gogc: 50, mode: 'message', sessions: 3_000, messages: 3_000 }),
      beside: [coldFile(32)],
    },
    {
      name: 'a mapped file of 96 MiB, state machines',
      noise: null,
      robot: load({ gogc: 100, mode: 'state', sessions: 2_000, transitions: 500 }),
      beside: [coldFile(96)],
    },
    {
      name: 'two mapped files',
      noise: null,
      robot: load({ gogc: 75, sessions: 3_000 }),
      container: { memoryMib: 512 },
      beside: [coldFile(64), coldFile(48)],
    },
    {
      name: 'a mapped file beside a busy neighbour',
      noise: 'a neighbour that keeps half a core busy',
      robot: load({ gogc: 100, sessions: 2_000 }),
      beside: [coldFile(64), busyNeighbour(0.5)],
    },
    {
      name: 'a mapped file and a slow peer',
      noise: 'another process of the container shakes hands with a slow peer',
      robot: load({ gogc: 100 }),
      beside: [coldFile(64), slowPeers('shake', '300ms')],
    },
    {
      name: 'a mapped file and GOGC a little too low',
      noise: 'GOGC 30 where the formula asks for 50',
      robot: load({ gogc: 30, sessions: 2_000 }),
      beside: [coldFile(80)],
    },
    {
      name: 'a mapped file and bursts',
      noise: '32 MiB allocated at once every three seconds',
      robot: load({ gogc: 100, sessions: 2_000 }),
      beside: [coldFile(64)],
      recurring: { everyMs: 3_000, changes: [{ burstBytes: 32 << 20 }] },
    },
    {
      name: 'a mapped file, slow mapping within its limit',
      noise: 'another process of the container maps 64 MiB in one call now and then',
      robot: load({ gogc: 100, sessions: 1_500 }),
      beside: [coldFile(64), mapping(64, '2s')],
    },
  ].map((run) => ({ ...run, policy: { thresholds: { majorFaultRate: 50 } } })),
);
