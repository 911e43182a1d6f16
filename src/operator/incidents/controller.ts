/** One incident, one step at a time: observe → decide → act → report. */
import { type ActionRecord, isFinal, type RobotGCIncident } from '../../api/index.ts';
import { BundleError } from '../../bundle/index.ts';
import {
  type EventRecorder,
  find,
  getRaw,
  type HandlerResult,
  incidents,
  isKubeError,
  type Log,
  splitKey,
} from '../../kube/index.ts';
import { Attention } from '../attention.ts';
import { fence } from '../fence.ts';
import type { OperatorMetrics } from '../metrics.ts';
import { workloadResource } from '../workloads/resources.ts';
import { finish } from './finish.ts';
import { findOwner, type Observed, observe } from './observe.ts';
import { decide, judged, replaceLast, wait } from './phases/index.ts';
import { type SealContext, sealEvidence, windowsBefore } from './seal.ts';
import { describeAction } from './sentences.ts';
import { writeStatus } from './status.ts';
import type { Effect, IncidentView, Step, Story } from './view.ts';
import { type ActingWay, type Outcome, wayOf } from './ways/index.ts';

export interface IncidentControllerOptions extends Omit<Observed, 'attention'> {
  readonly sealing: SealContext;
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
}

/** What one step leads to: at once to the next one, from the state that the server answered with, or to a rest. */
type Next =
  | { readonly type: 'moved'; readonly incident: RobotGCIncident }
  | { readonly type: 'rest'; readonly again?: HandlerResult };

export class IncidentController {
  readonly #options: IncidentControllerOptions;
  readonly #attention = new Attention();

  constructor(options: IncidentControllerOptions) {
    this.#options = options;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<HandlerResult | undefined> {
    // Read from the server, not the cache: a step decided on yesterday's phase could act twice.
    const incident = await find(this.#options.transport, incidents, splitKey(key), { signal });
    if (!incident || incident.metadata.deletionTimestamp) this.#attention.forget(key);
    let next: Next = incident ? { type: 'moved', incident } : { type: 'rest' };
    while (next.type === 'moved' && !next.incident.metadata.deletionTimestamp) {
      signal.throwIfAborted();
      next = await this.#step(key, next.incident, signal);
    }
    return next.type === 'rest' ? next.again : undefined;
  }

  async #step(key: string, incident: RobotGCIncident, signal: AbortSignal): Promise<Next> {
    const { phase, bundle } = incident.status;
    if (isFinal(phase)) this.#attention.forget(key);
    // Only now: a status write that failed must find the evidence again.
    if (bundle || isFinal(phase)) await this.#options.incoming.discard(splitKey(key));
    const view = await observe({ ...this.#options, attention: this.#attention }, incident, signal);
    const step = decide(view, Date.now());
    switch (step.type) {
      case 'done':
        return { type: 'rest' };
      case 'wait':
        this.#options.log.debug({ incident: key, reason: step.reason }, 'waiting');
        return { type: 'rest', again: { requeueAfterMs: step.afterMs } };
      case 'advance':
        return this.#advance(view, step, signal);
      case 'effect':
        return this.#advance(view, await this.#carryOut(step.effect, view, signal), signal);
    }
  }

  async #advance(view: IncidentView, step: Step, signal: AbortSignal): Promise<Next> {
    if (step.type === 'wait') return { type: 'rest', again: { requeueAfterMs: step.afterMs } };
    if (step.type !== 'advance') return { type: 'rest' };
    const { incident } = view;
    let moved: RobotGCIncident;
    try {
      moved = await writeStatus(this.#options.transport, incident, step.status, signal);
    } catch (error) {
      // The agent or a team wrote meanwhile: look again, decide again.
      if (isKubeError(error, 'Conflict')) return { type: 'rest', again: { requeueAfterMs: 50 } };
      throw error;
    }
    const phase = step.status.phase;
    this.#options.log.info(
      { incident: incident.metadata.name, phase, message: step.status.message },
      'incident moved on',
    );
    if (phase && phase !== incident.status.phase) {
      const cause = step.status.cause ?? incident.status.cause;
      this.#options.metrics.entered(phase, cause, step.status.times?.healMs);
    }
    if (step.story) this.#tell(incident, step.story);
    return isFinal(phase) ? { type: 'rest' } : { type: 'moved', incident: moved };
  }

  async #carryOut(effect: Effect, view: IncidentView, signal: AbortSignal): Promise<Step> {
    switch (effect) {
      case 'seal':
        return this.#seal(view, signal);
      case 'apply':
        return this.#apply(view, signal);
      case 'judge':
        return this.#judge(view);
    }
  }

  async #seal(view: IncidentView, signal: AbortSignal): Promise<Step> {
    const { incident, policy } = view;
    if (!policy)
      return finish(view, Date.now(), 'Escalated', 'The policy was deleted before the evidence was analysed.');
    try {
      const owner = await this.#ownerManifest(incident, signal);
      const { bundle, diagnosis, before } = await sealEvidence(this.#options.sealing, incident, policy, owner);
      const { capture, times } = incident.status;
      const captureMs = capture?.endedAt
        ? Date.parse(capture.endedAt) - Date.parse(incident.spec.trigger.detectedAt)
        : undefined;
      return {
        type: 'advance',
        status: {
          phase: 'Captured',
          message: 'The evidence is sealed and stored.',
          bundle,
          verification: { before },
          ...(diagnosis ? { diagnosis, cause: diagnosis.cause } : {}),
          times: { ...times, ...(captureMs === undefined ? {} : { captureMs }) },
        },
        story: {
          type: 'Normal',
          reason: 'Captured',
          note: `Evidence is stored as ${bundle.uri} (sha256 ${bundle.sha256}).`,
        },
      };
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      return finish(view, Date.now(), 'Escalated', `The bundle from the node is not sound: ${error.message}`);
    }
  }

  async #judge(view: IncidentView): Promise<Step> {
    const { incident, policy } = view;
    if (!policy) return decide(view, Date.now());
    const before = await windowsBefore(this.#options.sealing, incident, policy);
    return judged(view, policy, before, Date.now());
  }

  async #ownerManifest(incident: RobotGCIncident, signal: AbortSignal): Promise<unknown> {
    const owner = findOwner(this.#options.caches, incident);
    const resource = owner && workloadResource({ apiVersion: 'apps/v1', kind: owner.kind });
    return resource && getRaw(this.#options.transport, resource, owner.metadata, { signal });
  }

  async #apply(view: IncidentView, signal: AbortSignal): Promise<Step> {
    const { incident } = view;
    const action = incident.status.actions?.at(-1);
    if (!action)
      return finish(view, Date.now(), 'Escalated', 'The record of the action is missing; nothing was changed.');
    const way = wayOf(action);
    if (!way) return finish(view, Date.now(), 'Escalated', `This version knows no way ${action.kind}.`);
    const outcome = await this.#carriedOut(way, view, action, signal);
    if (outcome === 'moved-on') return wait(50, 'somebody changed it meanwhile: look again, decide again');
    if (outcome.type === 'refused') {
      const { message, conflictsWith } = outcome;
      const conflict = conflictsWith ? { conflictsWith: [...conflictsWith] } : {};
      return {
        type: 'advance',
        status: { message, actions: replaceLast(view, { ...action, ...conflict, result: 'Failed', message }) },
        story: { type: 'Warning', reason: 'Refused', note: `${action.kind} of ${describeAction(action)}: ${message}` },
      };
    }
    const managers = outcome.previousManagers.length > 0 ? { previousManagers: [...outcome.previousManagers] } : {};
    return {
      type: 'advance',
      status: {
        actions: replaceLast(view, { ...action, ...managers, result: 'Applied' }),
        message: `${action.kind}: the change is under way.`,
      },
      story: { type: 'Normal', reason: action.kind, note: `${describeAction(action)}.` },
    };
  }

  async #carriedOut(
    way: ActingWay,
    view: IncidentView,
    action: ActionRecord,
    signal: AbortSignal,
  ): Promise<Outcome | 'moved-on'> {
    const { transport } = this.#options;
    const { incident, policy } = view;
    const { metadata } = incident;
    const isUnmoved = async (stop: AbortSignal): Promise<boolean> =>
      (await find(transport, incidents, metadata, { signal: stop }))?.metadata.resourceVersion ===
      metadata.resourceVersion;
    const fenced = fence(`incident ${metadata.name}`, isUnmoved);
    try {
      return await way.apply({ transport, incident, policy, view, fence: fenced }, action, signal);
    } catch (error) {
      if (isKubeError(error, 'Conflict')) return 'moved-on';
      throw error;
    }
  }

  /** The same sentence on the incident and on what people look at first: the pod, and the workload once it is touched. */
  #tell(incident: RobotGCIncident, story: Story): void {
    const { namespace, name, uid } = incident.metadata;
    const self = { apiVersion: incident.apiVersion, kind: incident.kind, namespace, name, uid };
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: incident.spec.pod.name, uid: incident.spec.pod.uid };
    this.#options.recorder.record(self, story.type, story.reason, story.note, { related: pod });
    this.#options.recorder.record(pod, story.type, story.reason, story.note, { related: self });
    const owner = incident.status.actions?.at(-1)?.owner;
    if (owner)
      this.#options.recorder.record({ ...owner, namespace }, story.type, story.reason, story.note, { related: self });
  }
}
