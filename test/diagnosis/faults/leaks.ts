/** What is never given back: memory, and goroutines that wait for an answer nobody sends. */
import { busyNeighbour, labelled, load } from './words.ts';

/** Longer than growth that may be how the program starts. */
const leakSeconds = 150;

export const leak = labelled(
  'Leak',
  [
    { name: '150 KB a second', noise: null, robot: load({ gogc: 100, leakBytesPerSecond: 150_000 }) },
    {
      name: '700 KB a second, messages',
      noise: null,
      robot: load({ gogc: 50, mode: 'message', sessions: 2_000, messages: 3_000, leakBytesPerSecond: 700_000 }),
      policy: { thresholds: { heapLive: '64Mi' } },
    },
    {
      name: '300 KB a second, timers',
      noise: null,
      robot: load({ gogc: 100, mode: 'timer', sessions: 1_500, leakBytesPerSecond: 300_000 }),
    },
    {
      name: '1 MB a second, state machines',
      noise: null,
      robot: load({ gogc: 50, mode: 'state', transitions: 500, leakBytesPerSecond: 1_000_000 }),
    },
    {
      name: '400 KB a second towards a limit',
      noise: null,
      robot: load({ gogc: 100, leakBytesPerSecond: 400_000 }),
      container: { memoryMib: 112 },
      policy: { thresholds: { memoryShareOfLimit: '60%' } },
    },
    {
      name: '300 KB a second with GOGC too low',
      noise: 'GOGC 8 breaks the budget',
      robot: load({ gogc: 8, mode: 'message', sessions: 1_500, messages: 3_000, leakBytesPerSecond: 300_000 }),
    },
    {
      name: '300 KB a second beside a busy neighbour',
      noise: 'a neighbour that keeps half a core busy',
      robot: load({ gogc: 100, leakBytesPerSecond: 300_000 }),
      beside: [busyNeighbour(0.5)],
    },
    {
      name: '300 KB a second, load in waves',
      noise: 'four times the messages every few seconds',
      robot: load({ gogc: 75, mode: 'message', messages: 800, leakBytesPerSecond: 300_000 }),
      recurring: { everyMs: 5_000, changes: [{ messagesPerSecond: 3_200 }, { messagesPerSecond: 800 }] },
    },
    {
      name: '400 KB a second and ever more of GOMEMLIMIT',
      noise: 'in the end the limit drives the cycles',
      robot: load({ gogc: 100, goMemLimit: '64MiB', leakBytesPerSecond: 400_000 }),
    },
    {
      name: '500 KB a second while a few sessions come and go',
      noise: 'sessions between 1,000 and 1,150',
      robot: load({ gogc: 50, leakBytesPerSecond: 500_000 }),
      recurring: { everyMs: 8_000, changes: [{ sessions: 1_150 }, { sessions: 1_000 }, { sessions: 1_080 }] },
    },
  ].map((run) => ({ ...run, seconds: leakSeconds })),
);

export const goroutineLeak = labelled(
  'GoroutineLeak',
  [
    { name: '60 goroutines a second', noise: null, robot: load({ gogc: 100 }), once: { goroutineLeakPerSecond: 60 } },
    {
      name: '150 a second, messages',
      noise: null,
      robot: load({ gogc: 50, mode: 'message', sessions: 2_000, messages: 3_000 }),
      once: { goroutineLeakPerSecond: 150 },
    },
    {
      name: '100 a second, timers',
      noise: null,
      robot: load({ gogc: 100, mode: 'timer', sessions: 1_500 }),
      once: { goroutineLeakPerSecond: 100 },
    },
    {
      name: '300 a second, state machines',
      noise: null,
      robot: load({ gogc: 50, mode: 'state', transitions: 500 }),
      once: { goroutineLeakPerSecond: 300 },
      policy: { thresholds: { heapLive: '32Mi' } },
    },
    {
      name: '200 a second towards a limit',
      noise: null,
      robot: load({ gogc: 100 }),
      container: { memoryMib: 192 },
      once: { goroutineLeakPerSecond: 200 },
      policy: { thresholds: { memoryShareOfLimit: '50%' } },
    },
    {
      name: '100 a second with GOGC too low',
      noise: 'GOGC 8 breaks the budget',
      robot: load({ gogc: 8, mode: 'message', sessions: 1_500, messages: 3_000 }),
      once: { goroutineLeakPerSecond: 100 },
    },
    {
      name: '80 a second beside a busy neighbour',
      noise: 'a neighbour that keeps half a core busy',
      robot: load({ gogc: 100 }),
      beside: [busyNeighbour(0.5)],
      once: { goroutineLeakPerSecond: 80 },
    },
    {
      name: '120 a second, load in waves',
      noise: 'four times the messages every few seconds',
      robot: load({ gogc: 75, mode: 'message', messages: 800 }),
      once: { goroutineLeakPerSecond: 120 },
      recurring: { everyMs: 5_000, changes: [{ messagesPerSecond: 3_200 }, { messagesPerSecond: 800 }] },
    },
    {
      name: '100 a second and a leak of memory',
      noise: '50 KB a second besides',
      robot: load({ gogc: 100, leakBytesPerSecond: 50_000 }),
      once: { goroutineLeakPerSecond: 100 },
    },
    {
      name: '100 a second while a few sessions come and go',
      noise: 'sessions between 1,000 and 1,150',
      robot: load({ gogc: 50 }),
      once: { goroutineLeakPerSecond: 100 },
      recurring: { everyMs: 8_000, changes: [{ sessions: 1_150 }, { sessions: 1_000 }, { sessions: 1_080 }] },
    },
  ].map((run) => ({ ...run, seconds: leakSeconds })),
);
