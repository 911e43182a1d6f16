/**
 * The product, as one more controller: its agent's and operator's own decisions, second by second, on what a cluster would hold. Nothing of
 * them is written anew here; what only carries a decision out (the API, the kubelet, the writer, the capture) is the world of `product-world.ts`.
 */

import { mayOpen } from '../../../src/agent/incidents/gate.ts';
import { incidentOf } from '../../../src/agent/incidents/incident.ts';
import { workloadOf } from '../../../src/agent/incidents/naming.ts';
import {
  type ActionRecord,
  durationMs,
  type IncidentStatus,
  isFinal,
  type PolicySpec,
  quantityBytes,
  RobotGCIncident,
} from '../../../src/api/index.ts';
import { diagnose } from '../../../src/diagnosis/index.ts';
import { deriveThresholds, evaluate, HeapHistory, type SignalWindow, summarise } from '../../../src/model/index.ts';
import { pastActions } from '../../../src/operator/incidents/observe.ts';
import { decide, judged, replaceLast } from '../../../src/operator/incidents/phases/index.ts';
import type { Effect, IncidentView, Step } from '../../../src/operator/incidents/view.ts';
import { wayOf } from '../../../src/operator/incidents/ways/index.ts';
import type { ResizeView } from '../../../src/operator/resize/observe.ts';
import { ContainerPeaks } from '../../../src/operator/signals.ts';
import { decide as decideTuning, withLast } from '../../../src/operator/tuning/decide.ts';
import { openAction } from '../../../src/operator/tuning/view.ts';
import { type Calm, calmMs, standing, stretchBefore, tuningFacts } from '../../../src/remedy/index.ts';
import { type Settings, timeOf } from './container.ts';
import type { Candidate, Controller } from './controllers.ts';
import { LiveAgent } from './live-agent.ts';
import { CONTAINER, NODE, ProductWorld } from './product-world.ts';

/** Of windows, as the agent keeps and the operator is told. */
const KEPT = 600;
/** What the evidence takes besides the profiles: measured, "The loop" of docs/measurements.md. */
const CAPTURE_EXTRA_MS = 400;
/** How often continuous tuning looks. */
const LOOK_EVERY_SECONDS = 5;
/** An incident takes a handful of steps between two waits. */
const MOST_STEPS = 30;

export interface ProductOptions {
  readonly name: string;
  /** As a team would write it: the policy's spec. */
  readonly spec: (memoryLimitBytes: number) => object;
  readonly start: (memoryLimitBytes: number) => Settings;
  /** For whoever wants to know what it did. */
  readonly tell?: (atSecond: number, sentence: string) => void;
}

export function product({ name, spec, start, tell }: ProductOptions): Candidate {
  const control = (settings: Settings): Controller => {
    const loop = new ProductLoop(spec(settings.memoryLimitBytes), settings, tell ?? (() => {}));
    return { pace: 'second', next: (window, now) => loop.second(window, now) };
  };
  return { name, start, control };
}

class ProductLoop {
  readonly #world: ProductWorld;
  readonly #agent: LiveAgent;
  readonly #tell: (atSecond: number, sentence: string) => void;
  /** As sealed, by the incident's uid. */
  readonly #evidence = new Map<string, readonly SignalWindow[]>();
  #windows: SignalWindow[] = [];
  readonly #heap = new HeapHistory();
  #peaks = new ContainerPeaks();
  #second = 0;
  #mustStartAnew = false;

  constructor(spec: object, start: Settings, tell: (atSecond: number, sentence: string) => void) {
    this.#world = new ProductWorld(spec, start.memoryLimitBytes);
    this.#agent = new LiveAgent(this.#world, start);
    this.#tell = tell;
  }

  get #spec(): PolicySpec {
    return this.#world.policy.spec;
  }

  get #nowMs(): number {
    return timeOf(this.#second);
  }

  second(seen: SignalWindow, settings: Settings): Settings | 'start anew' {
    this.#second += 1;
    const { uid, name, namespace } = this.#world.pod.metadata;
    const window = { ...seen, pod: { uid, name, namespace }, container: CONTAINER };
    this.#windows.push(window);
    this.#heap.observe(window);
    this.#peaks.add(window);
    if (this.#windows.length > 2 * KEPT) this.#windows = this.#windows.slice(-KEPT);
    const memoryLimitBytes = quantityBytes(this.#world.kubelet()) ?? settings.memoryLimitBytes;
    const live = this.#agent.second(window, settings, this.#nowMs);
    this.#detect(window);
    this.#heal();
    if (this.#second % LOOK_EVERY_SECONDS === 0 || openAction(this.#world.policy.status.tuning?.[0])) this.#tune();
    return this.#mustStartAnew ? this.#startAnew() : { ...live, memoryLimitBytes };
  }

  /** Of the new pod nothing has been seen. */
  #startAnew(): 'start anew' {
    this.#mustStartAnew = false;
    this.#world.startAnew();
    this.#windows = [];
    this.#peaks = new ContainerPeaks();
    return 'start anew';
  }

  #detect(window: SignalWindow): void {
    const { policy, pod, incidents } = this.#world;
    const now = new Date(this.#nowMs);
    const breach = evaluate(this.#windows, deriveThresholds(policy.spec), now);
    if (breach.type !== 'breach') return;
    const candidate = { policy, podUid: pod.metadata.uid, container: CONTAINER, workload: workloadOf(pod) };
    if (mayOpen(candidate, incidents, now).type !== 'open') return;
    const { containerId } = window;
    const body = incidentOf({
      policy,
      pod,
      container: CONTAINER,
      containerId,
      node: NODE,
      breach,
      detectedAt: now,
    });
    const uid = `incident-${incidents.length}`;
    const metadata = { ...body.metadata, uid, resourceVersion: '1', creationTimestamp: now.toISOString() };
    const kind = { apiVersion: 'robotgc.dev/v1alpha1', kind: 'RobotGCIncident' };
    this.#world.write(RobotGCIncident.parse({ ...body, ...kind, metadata, status: {} }), {});
    this.#tell(this.#second, `breach of ${breach.signal}: ${breach.observed}`);
  }

  #heal(): void {
    for (const incident of this.#world.incidents) {
      let current = incident;
      for (let steps = 0; steps < MOST_STEPS && !isFinal(current.status.phase); steps++) {
        const view = this.#view(current);
        const decided = decide(view, this.#nowMs);
        const step = decided.type === 'effect' ? this.#carryOut(decided.effect, view) : decided;
        if (step.type !== 'advance') break;
        current = this.#world.write(current, step.status);
        if (step.story) this.#tell(this.#second, `${step.story.reason}: ${step.story.note}`);
      }
    }
  }

  #view(incident: RobotGCIncident): IncidentView {
    const { policy, workload, pod, incidents } = this.#world;
    const others = incidents.filter(({ metadata }) => metadata.uid !== incident.metadata.uid);
    const action = standing(incident.status.actions ?? []).at(-1);
    const carries = action !== undefined && wayOf(action)?.carries(pod, action, policy);
    const capturedAtMs =
      Date.parse(incident.spec.trigger.detectedAt) + durationMs(policy.spec.capture.duration) + CAPTURE_EXTRA_MS;
    return {
      incident,
      policy,
      workload,
      resize: this.#resize(),
      bundle: this.#nowMs >= capturedAtMs ? 'received' : 'awaited',
      before: this.#windows.slice(-KEPT),
      after: carries ? this.#windows.slice(-KEPT) : [],
      history: others.flatMap((other) => pastActions(other, workload.owner.uid)),
      tuned: policy.status.tuning?.[0]?.actions ?? [],
      busyWith: undefined,
      watchedSinceMs: 0,
      observeOnly: false,
      breaker: { type: 'closed' },
    };
  }

  #resize(): ResizeView {
    const { pod } = this.#world;
    const use = this.#windows.at(-1)?.cgroup?.workingSetBytes ?? 0;
    const surroundings = { nodes: [], quotas: [], limitRanges: [] };
    return { pods: [pod], allPods: [pod], useBytes: new Map([[pod.metadata.uid, use]]), surroundings };
  }

  #carryOut(effect: Effect, view: IncidentView): Step {
    switch (effect) {
      case 'seal':
        return { type: 'advance', status: this.#seal(view.incident) };
      case 'apply':
        return this.#apply(view);
      case 'judge':
        return judged(view, this.#world.policy, this.#before(view.incident), this.#nowMs);
    }
  }

  #seal({ metadata, spec: { trigger } }: RobotGCIncident): IncidentStatus {
    const windows = this.#windows.slice(-KEPT);
    this.#evidence.set(metadata.uid, windows);
    const thresholds = deriveThresholds(this.#spec);
    const evidence = { windows, heapHistory: this.#heap.points(), spec: this.#spec, thresholds };
    const [diagnosis] = diagnose({ ...evidence, trigger: trigger.signal });
    const before = summarise(stretchBefore(windows, this.#spec));
    const named = diagnosis ? { diagnosis, cause: diagnosis.cause } : {};
    return { phase: 'Captured', message: 'The evidence is sealed.', verification: { before }, ...named };
  }

  #before({ metadata }: RobotGCIncident): SignalWindow[] {
    return stretchBefore(this.#evidence.get(metadata.uid) ?? [], this.#spec);
  }

  #apply(view: IncidentView): Step {
    const action = view.incident.status.actions?.at(-1);
    if (!action) return { type: 'done' };
    this.#carry(action);
    return { type: 'advance', status: { actions: replaceLast(view, { ...action, result: 'Applied' }) } };
  }

  #carry(action: ActionRecord): void {
    const way = action.kind === 'Rollback' ? action.undoes : action.kind;
    if (way === 'Restart') this.#mustStartAnew = true;
    else if (way === 'Resize' && action.after !== null) this.#world.resize(action.after);
    else this.#world.wish(action);
  }

  /** Continuous tuning. */
  #tune(): void {
    const { policy, workload, incidents } = this.#world;
    const nowMs = this.#nowMs;
    const facts = tuningFacts([stretchBefore(this.#windows, policy.spec)], nowMs);
    const known = policy.status.tuning?.[0];
    const history = incidents.flatMap((each) => pastActions(each, workload.owner.uid)).map(({ action }) => action);
    const tuned = known?.actions ?? [];
    const step = decideTuning(
      {
        ...{ policy, workload, known, facts },
        history,
        tuned,
        busyWith: incidents.find(({ status }) => !isFinal(status.phase))?.metadata.name,
        resize: this.#resize(),
        calm: this.#calm(nowMs - calmMs({ spec: policy.spec, history, tuned })),
        watchedSinceMs: 0,
        observeOnly: false,
        breaker: { type: 'closed' },
      },
      nowMs,
    );
    if (step.type === 'wait') return;
    if (step.type === 'write') {
      if (step.story) this.#tell(this.#second, `${step.story.reason}: ${step.story.note}`);
      this.#world.remember(step.state);
    } else {
      this.#carry(step.action);
      this.#world.remember(withLast(step.state, { ...step.action, result: 'Applied' }));
    }
  }

  /** Since the last incident ended; peaks since then, or since that moment. */
  #calm(fromMs: number): Calm {
    const ends = this.#world.incidents.map(({ status, spec: { trigger } }) =>
      Date.parse(status.times?.finishedAt ?? trigger.detectedAt),
    );
    const sinceMs = Math.max(timeOf(0), ...ends);
    const { heapLiveBytes, useBytes } = this.#peaks.since(Math.max(sinceMs, fromMs));
    return { sinceMs, peakLiveBytes: heapLiveBytes, peakUseBytes: useBytes };
  }
}
