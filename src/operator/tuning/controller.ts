/** Keeps GOGC of the workloads of a policy where the formula asks for it, without any breach: observe → decide → act → report. */
import { isDeepStrictEqual } from 'node:util';
import { type RobotGCPolicy, TUNING_FIELD_MANAGER, type TuningState } from '../../api/index.ts';
import {
  apply,
  type Controller,
  type EventRecorder,
  find,
  type HandlerResult,
  isKubeError,
  KeyedQueue,
  type Log,
  policies,
  splitKey,
} from '../../kube/index.ts';
import { Attention } from '../attention.ts';
import { fence } from '../fence.ts';
import { describeAction } from '../incidents/sentences.ts';
import type { Story } from '../incidents/view.ts';
import type { OperatorMetrics } from '../metrics.ts';
import { decide, failed, withLast } from './decide.ts';
import { observeTuning, type TuningSources } from './observe.ts';
import { openAction, type TuningStep, type TuningView, type TuningWrite } from './view.ts';
import { carryOut } from './ways.ts';

/** Robots come and go within minutes; an operator with a thousand policies is to have time for breaches. */
const LOOK_EVERY_MS = 5000;
const POLL_MS = 1000;

export interface TuningControllerOptions extends Omit<TuningSources, 'attention'> {
  readonly recorder: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
}

/** Keys are those of policies. */
export class TuningController implements Controller {
  readonly name = 'tuning';
  readonly queue: KeyedQueue;
  readonly #options: TuningControllerOptions;
  readonly #attention = new Attention();

  constructor(options: TuningControllerOptions) {
    this.#options = options;
    this.queue = new KeyedQueue({ name: this.name, metrics: options.metrics.queue });
    options.caches.policies.store.onChange((change) => {
      const { key, object } = change;
      // What agents write into its status, every second on a large fleet, is looked at when the time has come.
      const isSame = change.type === 'updated' && change.previous.metadata.generation === object.metadata.generation;
      if (!isSame || hasOpen(object)) this.queue.add(key);
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<HandlerResult | undefined> {
    const policy = await this.#policy(key, signal);
    if (!policy || policy.metadata.deletionTimestamp) {
      this.#attention.forget(key);
      return undefined;
    }
    const states = policy.status.tuning ?? [];
    if (!policy.spec.tuning.continuous && states.length === 0) return undefined;
    const now = Date.now();
    const views = await observeTuning({ ...this.#options, attention: this.#attention }, policy, now, signal);
    for (const view of views) {
      const step = decide(view, now);
      if (step.type === 'write') return this.#write(policy, step, signal);
      if (step.type === 'apply') return this.#write(policy, await this.#apply(view, step, signal), signal);
    }
    const left = views.flatMap(({ known }) => known ?? []).filter((state) => isStill(policy, state));
    if (left.length < states.length) return this.#report(policy, left, signal);
    return { requeueAfterMs: hasOpen(policy) ? POLL_MS : LOOK_EVERY_MS };
  }

  /** While a change is under way the mode is asked for anew, as incidents do. */
  async #policy(key: string, signal: AbortSignal): Promise<RobotGCPolicy | undefined> {
    const cached = this.#options.caches.policies.store.get(key);
    if (!cached || !hasOpen(cached)) return cached;
    return find(this.#options.transport, policies, splitKey(key), { signal });
  }

  async #apply(
    view: TuningView,
    { state, action }: Extract<TuningStep, { type: 'apply' }>,
    signal: AbortSignal,
  ): Promise<TuningWrite> {
    const { transport } = this.#options;
    const { metadata } = view.policy;
    // Not the policy's version: agents write into its status all the time.
    const isUnmoved = async (stop: AbortSignal): Promise<boolean> => {
      const now = await find(transport, policies, metadata, { signal: stop });
      return isDeepStrictEqual(openAction(now?.status.tuning?.find((each) => isSame(each, state))), action);
    };
    const fenced = fence(`policy ${metadata.name}`, isUnmoved);
    const outcome = await carryOut({ transport, view, fence: fenced }, action, signal);
    if (outcome.type === 'refused') return failed(state, action, outcome.message);
    const applied = withLast(state, { ...action, result: 'Applied' });
    // The next pods of one that was told of.
    if (action.result === 'Applied') return { type: 'write', state: applied };
    const note = `${describeAction(action)}. ${state.plan.reason}`;
    const story: Story = { type: 'Normal', reason: action.kind === 'Rollback' ? 'TuningTakenBack' : 'Tuning', note };
    return { type: 'write', state: applied, story };
  }

  async #write(
    policy: RobotGCPolicy,
    { state, ended, story }: TuningWrite,
    signal: AbortSignal,
  ): Promise<HandlerResult> {
    const others = (policy.status.tuning ?? []).filter((other) => !isSame(other, state));
    const result = await this.#report(policy, [...others, state], signal);
    if (result.requeueAfterMs !== 0) return result;
    const { metrics, log } = this.#options;
    log.info({ policy: policy.metadata.name, workload: state.owner.name, plan: state.plan }, 'tuning moved on');
    if (ended) metrics.tuned(ended);
    if (story) this.#tell(policy, state, story);
    return result;
  }

  /** With the version that was decided on: what was decided on an older state fails as a Conflict, and is decided again. */
  async #report(
    { metadata: { name, namespace, uid, resourceVersion } }: RobotGCPolicy,
    tuning: readonly TuningState[],
    signal: AbortSignal,
  ): Promise<{ requeueAfterMs: number }> {
    // An empty list would stay in the status, and be ours.
    const status = tuning.length > 0 ? { status: { tuning } } : {};
    const body = { metadata: { name, namespace, uid, resourceVersion }, ...status };
    const options = { fieldManager: TUNING_FIELD_MANAGER, force: true, subresource: 'status', signal };
    try {
      await apply(this.#options.transport, policies, body, options);
      return { requeueAfterMs: 0 };
    } catch (error) {
      if (isKubeError(error, 'Conflict')) return { requeueAfterMs: 50 };
      throw error;
    }
  }

  #tell({ apiVersion, kind, metadata }: RobotGCPolicy, { owner }: TuningState, { type, reason, note }: Story): void {
    const { namespace, name, uid } = metadata;
    const policy = { apiVersion, kind, namespace, name, uid };
    const workload = { ...owner, namespace };
    this.#options.recorder.record(policy, type, reason, note, { related: workload });
    this.#options.recorder.record(workload, type, reason, note, { related: policy });
  }
}

function hasOpen({ status }: RobotGCPolicy): boolean {
  return (status.tuning ?? []).some((state) => openAction(state) !== undefined);
}

/** What was done is remembered, also when continuous tuning is switched off, as long as its workload is there. */
function isStill({ spec }: RobotGCPolicy, { actions = [] }: TuningState): boolean {
  return spec.tuning.continuous || actions.length > 0;
}

function isSame(one: TuningState, other: TuningState): boolean {
  return one.owner.uid === other.owner.uid && one.container === other.container;
}
