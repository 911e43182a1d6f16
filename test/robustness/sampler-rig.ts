/** The real sampler with the real probe, for tests that change what it watches under its hands. */
import {
  type HostSamplerOptions,
  hostSampler,
  type Sampler,
  type Target,
  type TargetState,
} from '../../src/agent/sampler/index.ts';
import { openProc } from '../../src/host/index.ts';
import type { CycleEvent, Flush, PauseEvent, ProbeClient, ProbeError } from '../../src/host/probe/index.ts';
import type { SignalWindow } from '../../src/model/index.ts';
import { until } from '../support/until.ts';

const proc = openProc();

export interface ProbeEnd {
  readonly error: ProbeError;
  readonly retryInMs: number;
  readonly atMs: number;
}

export class SamplerRig implements AsyncDisposable {
  /** By target: its processes. Change at will. */
  readonly populations = new Map<string, number[]>();
  readonly windows = new Map<string, SignalWindow[]>();
  readonly pauses = new Map<string, PauseEvent[]>();
  readonly cycles = new Map<string, CycleEvent[]>();
  /** Every state that was told, in order. */
  readonly states = new Map<string, TargetState[]>();
  readonly probes: ProbeClient[] = [];
  readonly ends: ProbeEnd[] = [];
  readonly log: string[] = [];
  readonly flushes: Flush[] = [];
  readonly sampler: Sampler;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: Partial<HostSamplerOptions> = {}) {
    this.sampler = hostSampler({
      populate: () =>
        new Map(
          [...this.populations].map(([key, pids]) => [
            key,
            { pids: [...pids].sort((a, b) => a - b), cgroups: proc.cgroups(pids[0] ?? 0) ?? null },
          ]),
        ),
      sink: {
        window: ({ key }, window) => append(this.windows, key, window),
        state: ({ key }, state) => append(this.states, key, state),
        pause: ({ key }, pause) => append(this.pauses, key, pause),
        cycle: ({ key }, cycle) => append(this.cycles, key, cycle),
      },
      onProbeUp: (probe) => this.probes.push(probe),
      onProbeDown: (error, retryInMs) => this.ends.push({ error, retryInMs, atMs: performance.now() }),
      onProbeLog: (line) => this.log.push(line),
      onFlush: (flush) => this.flushes.push(flush),
      ...options,
    });
    this.#running = this.sampler.run(this.#stop.signal);
  }

  /** Follows a target of this name for each population, and no other. */
  follow(): void {
    this.sampler.setTargets([...this.populations.keys()].map(target));
  }

  /** Processes of one target, followed from now on. */
  watch(key: string, ...pids: number[]): void {
    this.populations.set(key, pids);
    this.follow();
  }

  forget(key: string): void {
    this.populations.delete(key);
    this.follow();
  }

  get probe(): ProbeClient {
    const probe = this.probes.at(-1);
    if (!probe) throw new Error('no probe was started yet');
    return probe;
  }

  state(key: string): TargetState | undefined {
    return this.states.get(key)?.at(-1);
  }

  /** Reasons why signals are missing that are not of the cgroup, which differ from machine to machine. */
  missing(key: string): string[] {
    const state = this.state(key);
    if (state?.state !== 'Watching') return [];
    return (state.missing ?? [])
      .filter(({ signals }) => !signals.some((signal) => signal.startsWith('cgroup')))
      .map(({ reason }) => reason);
  }

  newest(key: string): SignalWindow | undefined {
    return this.windows.get(key)?.at(-1);
  }

  async untilState(key: string, state: TargetState['state'], timeoutMs = 30_000): Promise<void> {
    await until(`${key} is ${state}`, () => this.state(key)?.state === state, timeoutMs, 20);
  }

  /** A tick that began from now on has ended. */
  async nextTicks(count = 1): Promise<void> {
    const before = this.flushes.length;
    await until(`${count} more ticks`, () => this.flushes.length >= before + count + 1, 30_000, 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

export function target(key: string): Target {
  return {
    key,
    pod: { namespace: 'robots', name: key, uid: key },
    container: 'robot',
    containerId: key,
    activity: null,
  };
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key) ?? [];
  list.push(item);
  lists.set(key, list);
}
