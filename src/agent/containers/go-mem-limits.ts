/** Stale GOMEMLIMITs of this node's containers: found in every mode, told once as an Event, and in the policy's status while they last. */
import type { EventRecorder } from '../../kube/index.ts';
import {
  followGoMemLimit,
  type SeenGoMemLimit,
  type SignalWindow,
  type StaleGoMemLimit,
  staleSentence,
} from '../../model/index.ts';
import { podTarget } from '../incidents/pod-target.ts';
import type { Selected } from './watchlist.ts';

export interface GoMemLimitsOptions {
  readonly events: Pick<EventRecorder, 'record'>;
  /** A finding came or went. */
  readonly onChange: (containerId: string) => void;
}

export class GoMemLimits {
  readonly #options: GoMemLimitsOptions;
  readonly #seen = new Map<string, SeenGoMemLimit>();

  constructor(options: GoMemLimitsOptions) {
    this.#options = options;
  }

  /** By container id. */
  get stale(): ReadonlyMap<string, StaleGoMemLimit> {
    const found = [...this.#seen].flatMap(([id, { finding }]) => (finding ? [[id, finding] as const] : []));
    return new Map(found);
  }

  window(containerId: string, { pod, target, policies }: Selected, window: SignalWindow): void {
    const share = policies[0]?.spec.tuning.memoryLimit.goMemLimit;
    if (share === undefined) return;
    const before = this.#seen.get(containerId);
    const now = followGoMemLimit(before, window, share);
    if (now) this.#seen.set(containerId, now);
    else this.#seen.delete(containerId);
    if (saying(before) === saying(now)) return;
    this.#options.onChange(containerId);
    if (!now?.finding) return;
    const about = podTarget(pod, target.container);
    this.#options.events.record(about, 'Warning', 'StaleGoMemLimit', staleSentence(now.finding));
  }

  forget(containerId: string): void {
    this.#seen.delete(containerId);
  }
}

function saying(seen: SeenGoMemLimit | undefined): string | undefined {
  return seen?.finding && staleSentence(seen.finding);
}
