/** One incident, one step at a time: observe → decide → act → report. */
import { type ActionRecord, isFinal, type RobotGCIncident } from '../../api/index.ts';
import { BundleError } from '../../bundle/index.ts';
import {
  deployments,
  type EventRecorder,
  find,
  getRaw,
  type HandlerResult,
  incidents,
  isKubeError,
  type Log,
  splitKey,
} from '../../kube/index.ts';
import type { OperatorMetrics } from '../metrics.ts';
import { finish } from './finish.ts';
import { findOwner, type Observed, observe } from './observe.ts';
import { decide, judged, replaceLast } from './phases/index.ts';
import { applyGogc } from './remedy.ts';
import { type SealContext, sealEvidence, windowsBefore } from './seal.ts';
import { describeSetting } from './sentences.ts';
import { writeStatus } from './status.ts';
import type { Effect, IncidentView, Step, Story } from './view.ts';

export interface IncidentControllerOptions extends Observed {
  readonly sealing: SealContext;
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
}

export class IncidentController {
  readonly #options: IncidentControllerOptions;

  constructor(options: IncidentControllerOptions) {
    this.#options = options;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<HandlerResult | undefined> {
    // Read from the server, not the cache: a step decided on yesterday's phase could act twice.
    const incident = await find(this.#options.transport, incidents, splitKey(key), { signal });
    if (!incident || incident.metadata.deletionTimestamp) return undefined;
    const { phase, bundle } = incident.status;
    // Only now: a status write that failed must find the evidence again.
    if (bundle || isFinal(phase)) await this.#options.incoming.discard(splitKey(key));
    const view = await observe(this.#options, incident, signal);
    const step = decide(view, Date.now());
    switch (step.type) {
      case 'done':
        return undefined;
      case 'wait':
        this.#options.log.debug({ incident: key, reason: step.reason }, 'waiting');
        return { requeueAfterMs: step.afterMs };
      case 'advance':
        return this.#advance(view, step, signal);
      case 'effect':
        return this.#advance(view, await this.#carryOut(step.effect, view, signal), signal);
    }
  }

  async #advance(view: IncidentView, step: Step, signal: AbortSignal): Promise<HandlerResult | undefined> {
    if (step.type === 'wait') return { requeueAfterMs: step.afterMs };
    if (step.type !== 'advance') return undefined;
    const { incident } = view;
    try {
      await writeStatus(this.#options.transport, incident, step.status, signal);
    } catch (error) {
      // The agent or a team wrote meanwhile: look again, decide again.
      if (isKubeError(error, 'Conflict')) return { requeueAfterMs: 50 };
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
    return isFinal(phase) ? undefined : { requeueAfterMs: 0 };
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
    if (!policy)
      return finish(view, Date.now(), 'Escalated', 'The policy was deleted; the change was left in place, unverified.');
    const before = await windowsBefore(this.#options.sealing, incident, policy);
    return judged(view, policy, before, Date.now());
  }

  async #ownerManifest(incident: RobotGCIncident, signal: AbortSignal): Promise<unknown> {
    const owner = findOwner(this.#options.caches, incident);
    if (!owner) return undefined;
    return getRaw(this.#options.transport, deployments, owner.metadata, { signal });
  }

  async #apply(view: IncidentView, signal: AbortSignal): Promise<Step> {
    const { incident, policy } = view;
    const action = incident.status.actions?.at(-1);
    if (!action)
      return finish(view, Date.now(), 'Escalated', 'The record of the action is missing; nothing was changed.');
    if (!policy) return finish(view, Date.now(), 'Escalated', 'The policy was deleted before the action was applied.');
    const outcome = await applyGogc(this.#options.transport, incident, policy, action, signal);
    if (outcome.type !== 'applied') {
      const failed: ActionRecord = { ...action, result: 'Failed', message: outcome.message };
      const step = finish(view, Date.now(), 'Escalated', outcome.message);
      return step.type === 'advance'
        ? { ...step, status: { ...step.status, actions: replaceLast(view, failed) } }
        : step;
    }
    const managers = outcome.previousManagers.length > 0 ? { previousManagers: [...outcome.previousManagers] } : {};
    return {
      type: 'advance',
      status: {
        actions: replaceLast(view, { ...action, ...managers, result: 'Applied' }),
        message: 'The rollout is in progress.',
      },
      story: {
        type: 'Normal',
        reason: action.kind,
        note: `GOGC ${describeSetting(action.before)} → ${describeSetting(action.after)} on ${action.owner.kind} ${action.owner.name}.`,
      },
    };
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
