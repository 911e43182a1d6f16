/** The Go robot of test/robots: built, started on ports of its own, and asked through its control endpoint. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { inCgroups } from '../../src/agent/testing/pod-cgroup.ts';
import { BenchError } from './errors.ts';
import { withGoBinary } from './go-program.ts';

const serving = z.object({ msg: z.literal('serving'), control: z.string(), metrics: z.string() });
type Addresses = z.infer<typeof serving>;

/** Bucket i counts from bound i (inclusive) to bound i + 1, in seconds. */
const histogram = z.object({
  bounds: z.array(z.union([z.number(), z.enum(['-Infinity', 'Infinity'])]).transform(Number)),
  counts: z.array(z.int()),
});
export type RuntimeHistogram = z.infer<typeof histogram>;

const books = z.object({
  goVersion: z.string(),
  metrics: z.object({
    '/sched/pauses/total/gc:seconds': histogram,
    '/sched/pauses/stopping/gc:seconds': histogram,
    '/gc/cycles/total:gc-cycles': z.int(),
    '/gc/gogc:percent': z.int(),
    '/gc/heap/live:bytes': z.int(),
    '/gc/heap/allocs:bytes': z.int(),
    '/cpu/classes/gc/total:cpu-seconds': z.number(),
    '/cpu/classes/gc/mark/idle:cpu-seconds': z.number(),
  }),
});
export type Books = z.infer<typeof books>;

const stats = z.object({
  events: z.int(),
  dropped: z.int(),
  /** Of the moment of the reading. */
  uptimeNs: z.int(),
  cpuNs: z.int(),
  latencyBoundsNs: z.array(z.int()),
  latencyCounts: z.array(z.int()),
});
export type RobotStats = z.infer<typeof stats>;

/** What PATCH /control takes; see test/robots/README.md. */
export interface Control {
  readonly paused?: boolean;
  readonly spinMs?: number;
  readonly burstBytes?: number;
  readonly leakBytesPerSecond?: number;
  readonly goroutineLeakPerSecond?: number;
  readonly sessions?: number;
  readonly messagesPerSecond?: number;
  readonly transitionsPerSecond?: number;
}

/** A minute of schedule takes it some milliseconds. */
const catchUpMs = 250;

export interface RobotOptions {
  readonly gogc: number;
  readonly args: readonly string[];
  /** For the Go runtime. */
  readonly godebug?: string;
  /** As GOMEMLIMIT takes it. */
  readonly goMemLimit?: string;
  /** Its number is written into each of these before it becomes the robot. */
  readonly cgroupProcs?: readonly string[];
}

/** Builds the robot and hands it to `use`; the binary is gone afterwards. */
export function withRobotBinary<T>(use: (binary: string) => Promise<T>, flags: readonly string[] = []): Promise<T> {
  return withGoBinary(fileURLToPath(new URL('../robots', import.meta.url)), './robot', use, flags);
}

export class Robot implements AsyncDisposable {
  readonly pid: number;
  readonly metricsPort: number;
  readonly #child: ChildProcess;
  readonly #control: string;

  private constructor(child: ChildProcess, pid: number, { control, metrics }: Addresses) {
    this.#child = child;
    this.pid = pid;
    this.metricsPort = Number(new URL(`http://${metrics}`).port);
    this.#control = control;
  }

  /** Resolves when all sessions are open and load arrives. */
  static async start(binary: string, options: RobotOptions): Promise<Robot> {
    const anywhere = '127.0.0.1:0';
    const args = ['-metrics', anywhere, '-control', anywhere, '-pprof', anywhere, ...options.args];
    const [program, ...words] = inCgroups(options.cgroupProcs ?? [], [binary, ...args]);
    const child = spawn(program, words, {
      env: {
        ...process.env,
        GOGC: options.gogc < 0 ? 'off' : String(options.gogc),
        GODEBUG: options.godebug ?? '',
        ...(options.goMemLimit === undefined ? {} : { GOMEMLIMIT: options.goMemLimit }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines: string[] = [];
    // Read to the end: a full pipe would hold the robot up.
    const addresses = await new Promise<Addresses>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        lines.push(line);
        const told = servingAddresses(line);
        if (told !== undefined) resolve(told);
      });
      child.once('error', reject);
      child.once('exit', () => reject(new BenchError('ROBOT_ENDED', `the robot ended at once: ${lines.join('\n')}`)));
    });
    if (child.pid === undefined) throw new BenchError('ROBOT_ENDED', 'the robot has no process');
    return new Robot(child, child.pid, addresses);
  }

  async books(): Promise<Books> {
    return books.parse(await this.#ask('/runtime'));
  }

  async stats(): Promise<RobotStats> {
    return stats.parse(await this.#ask('/stats'));
  }

  /** No load, and not a single instruction, until `work`: another robot has the machine. */
  async rest(): Promise<void> {
    await this.set({ paused: true });
    this.#child.kill('SIGSTOP');
  }

  async work(): Promise<void> {
    this.#child.kill('SIGCONT');
    // Its schedule runs through the time it missed, in which nothing was due: only while it is paused still.
    await sleep(catchUpMs);
    await this.set({ paused: false });
  }

  async set(control: Control): Promise<void> {
    await this.#ask('/control', { method: 'PATCH', body: JSON.stringify(control) });
  }

  async #ask(path: string, init?: RequestInit): Promise<unknown> {
    const response = await fetch(`http://${this.#control}${path}`, init);
    if (!response.ok) throw new BenchError('ROBOT_REFUSED', `the robot refused ${path}: ${await response.text()}`);
    return response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(impatient);
  }
}

function servingAddresses(line: string): Addresses | undefined {
  if (!line.includes('"serving"')) return undefined;
  return serving.parse(JSON.parse(line));
}
