/** Slow leaks of this node's containers: looked for every five minutes in every mode, told once as an Event, and in the policy's status while they last. */
import { LEAK_EVERY_WINDOWS, type SlowLeak, slowLeakOf } from '../../diagnosis/index.ts';
import type { EventRecorder } from '../../kube/index.ts';
import type { HeapHistory, SignalWindow } from '../../model/index.ts';
import { podTarget } from '../incidents/pod-target.ts';
import type { Selected } from './watchlist.ts';

export interface SlowLeaksOptions {
  readonly events: Pick<EventRecorder, 'record'>;
  /** A finding came, went, or has other numbers. */
  readonly onChange: (containerId: string) => void;
}

export class SlowLeaks {
  readonly #options: SlowLeaksOptions;
  readonly #found = new Map<string, SlowLeak>();

  constructor(options: SlowLeaksOptions) {
    this.#options = options;
  }

  /** By container id. */
  get found(): ReadonlyMap<string, SlowLeak> {
    return this.#found;
  }

  window(
    containerId: string,
    { pod, target }: Selected,
    window: SignalWindow,
    heap: Pick<HeapHistory, 'points'>,
  ): void {
    if (window.seq % LEAK_EVERY_WINDOWS !== 0) return;
    const before = this.#found.get(containerId);
    const now = slowLeakOf(heap.points(), window.cgroup?.memoryLimitBytes ?? null);
    if (now?.sentence === before?.sentence) return;
    if (now) this.#found.set(containerId, now);
    else this.#found.delete(containerId);
    this.#options.onChange(containerId);
    if (!now || before) return;
    this.#options.events.record(podTarget(pod, target.container), 'Warning', 'SlowLeak', now.sentence);
  }

  forget(containerId: string): void {
    this.#found.delete(containerId);
  }
}
