/** Each new window is held against every policy that selects its container; what breaches and may, becomes an incident. */
import { isFinal, type RobotGCIncident, type RobotGCPolicy } from '../../api/index.ts';
import { keyOf } from '../../kube/index.ts';
import { deriveThresholds, evaluate, isAnyOver, type SignalWindow, type Thresholds } from '../../model/index.ts';
import type { Selected } from '../containers/watchlist.ts';
import { mayOpen } from './gate.ts';
import type { Detection } from './incident.ts';
import { workloadOf } from './naming.ts';

export interface JudgeOptions {
  readonly node: string;
  /** Incidents of a policy, as far as the cache knows. */
  readonly incidentsOf: (policyKey: string) => readonly RobotGCIncident[];
}

/** Between creating an incident and seeing it in the cache. */
interface Opening {
  readonly policyKey: string;
  readonly workload: string;
  readonly detectedAtMs: number;
  untilMs: number;
}

/** Since when nothing of a container was over a limit of these policies. */
interface Calm {
  policies: Selected['policies'];
  /** Of the latest window in which something was, or of the first that was held against them. */
  readonly sinceSeq: number;
}

/** Far more than containers on a node: of those that have gone some are known still. */
const maxCalm = 4_000;

/** Captures at a time: each holds its profiles in memory. */
const maxOpen = 2;
/** The cache brings an incident long before; this only ends the wait for one that never came. */
const cacheDelayMs = 30_000;

export class Judge {
  readonly #options: JudgeOptions;
  readonly #thresholds = new Map<string, { generation: number; thresholds: Thresholds }>();
  readonly #opening = new Set<Opening>();
  /** By container. */
  readonly #calm = new Map<string, Calm>();

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** How many of a container's latest windows its policies look at. */
  considered({ policies }: Pick<Selected, 'policies'>): number {
    return policies.reduce((most, policy) => Math.max(most, this.#thresholdsOf(policy).breach.of), 0);
  }

  /** Whether `detect` can find anything at this window, the newest: something was over a limit lately, or it is not known. */
  concerns(selected: Pick<Selected, 'policies'>, window: SignalWindow): boolean {
    const isOver = selected.policies.some((policy) => isAnyOver(window, this.#thresholdsOf(policy)));
    const known = this.#calm.get(window.containerId);
    if (!isOver && known && known.sinceSeq <= window.seq && areSame(known.policies, selected.policies)) {
      known.policies = selected.policies;
      return window.seq - known.sinceSeq < this.considered(selected);
    }
    if (this.#calm.size >= maxCalm) this.#calm.clear();
    this.#calm.set(window.containerId, { policies: selected.policies, sinceSeq: window.seq });
    return true;
  }

  /** @param windows of the container, oldest first; `considered` of them suffice */
  detect(selected: Selected, windows: readonly SignalWindow[], now: Date): Detection[] {
    const { target, pod, policies } = selected;
    return policies.flatMap((policy) => {
      const evaluation = evaluate(windows, this.#thresholdsOf(policy), now);
      if (evaluation.type !== 'breach' || !this.#mayOpen(selected, policy, now)) return [];
      const { container, containerId } = target;
      return [{ policy, pod, container, containerId, node: this.#options.node, breach: evaluation, detectedAt: now }];
    });
  }

  /** From the decision to open an incident until its capture is over. @returns says that it is over */
  begin({ policy, pod, detectedAt }: Detection, nowMs: () => number): () => void {
    const opening = {
      policyKey: keyOf(policy.metadata),
      workload: workloadOf(pod),
      detectedAtMs: detectedAt.getTime(),
      untilMs: Number.POSITIVE_INFINITY,
    };
    this.#opening.add(opening);
    return () => {
      opening.untilMs = nowMs() + cacheDelayMs;
    };
  }

  #mayOpen({ target, pod }: Selected, policy: RobotGCPolicy, now: Date): boolean {
    const policyKey = keyOf(policy.metadata);
    const workload = workloadOf(pod);
    this.#forgetKnown(now);
    for (const opening of this.#opening) {
      if (opening.policyKey === policyKey && opening.workload === workload) return false;
    }
    if (this.#opening.size >= maxOpen) return false;
    const candidate = { policy, podUid: pod.metadata.uid, container: target.container, workload };
    return mayOpen(candidate, this.#options.incidentsOf(policyKey), now).type === 'open';
  }

  /** Once captured and in the cache, an incident speaks for itself, also when it was over before anybody looked. */
  #forgetKnown(now: Date): void {
    for (const opening of this.#opening) {
      if (opening.untilMs === Number.POSITIVE_INFINITY) continue;
      const isIt = ({ spec, status }: RobotGCIncident): boolean =>
        !isFinal(status.phase) || Date.parse(spec.trigger.detectedAt) >= opening.detectedAtMs;
      const known = this.#options.incidentsOf(opening.policyKey).some(isIt);
      if (known || now.getTime() > opening.untilMs) this.#opening.delete(opening);
    }
  }

  #thresholdsOf(policy: RobotGCPolicy): Thresholds {
    const key = policy.metadata.uid;
    const known = this.#thresholds.get(key);
    if (known?.generation === policy.metadata.generation) return known.thresholds;
    const thresholds = deriveThresholds(policy.spec);
    if (this.#thresholds.size > 1000) this.#thresholds.clear();
    this.#thresholds.set(key, { generation: policy.metadata.generation, thresholds });
    return thresholds;
  }
}

/** Objects of the cache are others each time something was written to their status. */
function areSame(some: Selected['policies'], others: Selected['policies']): boolean {
  if (some === others) return true;
  return (
    some.length === others.length &&
    some.every(({ metadata: { uid, generation } }, at) => {
      const other = others[at]?.metadata;
      return other?.uid === uid && other.generation === generation;
    })
  );
}
