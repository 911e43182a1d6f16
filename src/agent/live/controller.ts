/** Keeps the settings of running processes as the annotations of their pods say, within the bounds of their policies. Level-triggered. */
import { ANNOTATION_DESIRED, type LiveState, NOT_RESTORED, quantityBytes } from '../../api/index.ts';
import type { GcSettings, Proc, ProcessIdentity } from '../../host/index.ts';
import { type Controller, type HandlerResult, KeyedQueue, type Log, memoryLimitOf } from '../../kube/index.ts';
import type { Selected } from '../containers/watchlist.ts';
import { PlanCache } from '../sampler/attachments.ts';
import { lookAll } from './followed.ts';
import type { LiveLedger } from './ledger.ts';
import { restoreAll, type SetOutcome, setAll } from './processes.ts';
import { type Wish, wishOf } from './wish.ts';

export interface LiveControllerOptions {
  readonly proc: Proc;
  readonly ledger: LiveLedger;
  /** False: nothing is written, and the status says so. */
  readonly enabled: boolean;
  /** The container and its policies as they are at this moment; undefined: nobody selects it. */
  readonly selected: (containerId: string) => Selected | undefined;
  /** Its Go processes; none before it is watched. */
  readonly processes: (containerId: string) => readonly ProcessIdentity[];
  readonly onChange: (containerId: string) => void;
  readonly log: Log;
}

/** A process that does not collect may take up its settings at any time. */
const pendingMs = 1_000;
/** The kubelet brings the file up to date, and the program looks at it now and then. */
const followMs = 2_000;
/** The program may give its value up, a permission may come. */
const refusedMs = 30_000;

export class LiveController implements Controller {
  readonly name = 'live';
  readonly leaderOnly = false;
  readonly concurrency = 4;
  readonly queue = new KeyedQueue({ name: 'live' });
  readonly #options: LiveControllerOptions;
  readonly #plans = new PlanCache();
  readonly #states = new Map<string, LiveState>();
  /** What was applied to which processes, as text: news of pods and policies are many, and mostly of something else. */
  readonly #fulfilled = new Map<string, string>();
  /** Of containers whose programs follow a file: what they had before. */
  readonly #followed = new Map<string, Partial<GcSettings>>();

  constructor(options: LiveControllerOptions) {
    this.#options = options;
  }

  get states(): ReadonlyMap<string, LiveState> {
    return this.#states;
  }

  /** Pods or policies have changed. @param selected containers that policies select now */
  refresh(selected: Iterable<Selected>): void {
    const concerned = new Set([...this.#options.ledger.containerIds, ...this.#states.keys()]);
    for (const each of selected) if (isWished(each)) concerned.add(each.target.key);
    for (const id of concerned) this.queue.add(id);
  }

  /** The processes of a container are known now. */
  watching(selected: Selected): void {
    if (isWished(selected)) this.queue.add(selected.target.key);
  }

  /** The GOGC of a cycle that has just ended: another than ours is somebody's own. */
  inEffect(containerId: string, gogc: number): void {
    const known = this.#states.get(containerId);
    if (known?.state !== 'Applied' || known.gogc === gogc) return;
    this.#fulfilled.delete(containerId);
    this.queue.add(containerId);
  }

  forget(containerId: string): void {
    this.#states.delete(containerId);
    this.#fulfilled.delete(containerId);
    this.#followed.delete(containerId);
  }

  async reconcile(containerId: string, signal: AbortSignal): Promise<HandlerResult> {
    const { ledger, enabled } = this.#options;
    const selected = this.#options.selected(containerId);
    const entries = ledger.ofContainer(containerId);
    const wish = wishOf({
      annotations: selected?.pod.metadata.annotations ?? {},
      container: selected?.target.container ?? '',
      policies: selected?.policies ?? [],
      limitBytes: selected ? limitOf(selected) : null,
      onDelete: entries.at(-1)?.onDelete,
    });
    if (wish.type === 'keep') {
      for (const entry of entries) await ledger.forget(entry);
      return {};
    }
    if (wish.type !== 'set') {
      this.#fulfilled.delete(containerId);
      // Nobody selects it any more: there is nobody to tell, and the operator has seen to its file.
      if (!selected) this.#followed.delete(containerId);
      const before = this.#followed.get(containerId);
      if (before && wish.type === 'restore') return this.#followBack(containerId, before);
      return this.#takeBack(containerId, wish, signal);
    }
    if (wish.policy.spec.actions.liveBy === 'Program') return this.#follow(containerId, wish);
    this.#followed.delete(containerId);
    if (!enabled) {
      const message = 'the agent of this node may not write to processes: set agent.live: true in the chart';
      this.#tell(containerId, { type: 'refused', settings: null, reason: 'NotEnabled', message });
      return {};
    }
    for (const entry of entries) if (!this.#options.proc.isAlive(entry)) await ledger.forget(entry);
    const processes = this.#options.processes(containerId);
    // Told again when it is watched.
    if (processes.length === 0) return {};
    const { onDelete } = wish.policy.spec.actions;
    const wanted = JSON.stringify([wish.change, processes, onDelete]);
    if (this.#fulfilled.get(containerId) === wanted) return {};
    const { proc } = this.#options;
    const outcome = await setAll(processes, wish, { proc, ledger, containerId, onDelete }, signal);
    this.#tell(containerId, outcome);
    if (outcome.type === 'applied') {
      this.#fulfilled.set(containerId, wanted);
      return {};
    }
    this.#fulfilled.delete(containerId);
    return { requeueAfterMs: outcome.type === 'pending' ? pendingMs : refusedMs };
  }

  /** The program sets it, here it is only looked at. */
  #follow(containerId: string, { change, from }: Extract<Wish, { type: 'set' }>): HandlerResult {
    const processes = this.#options.processes(containerId);
    if (processes.length === 0) return {};
    this.#followed.set(containerId, from);
    const outcome = lookAll(processes, change, this.#options.proc, this.#plans);
    this.#tell(containerId, outcome);
    if (outcome.type === 'applied') return {};
    return { requeueAfterMs: outcome.type === 'refused' ? refusedMs : followMs };
  }

  #followBack(containerId: string, before: Partial<GcSettings>): HandlerResult {
    const outcome = lookAll(this.#options.processes(containerId), before, this.#options.proc, this.#plans);
    if (outcome.type === 'awaited') {
      this.#tell(containerId, outcome);
      return { requeueAfterMs: followMs };
    }
    this.#followed.delete(containerId);
    this.#tell(containerId, { type: 'reverted', settings: outcome.settings });
    return {};
  }

  async #takeBack(
    containerId: string,
    wish: Exclude<Wish, { type: 'set' | 'keep' }>,
    signal: AbortSignal,
  ): Promise<HandlerResult> {
    const { ledger, proc } = this.#options;
    const entries = ledger.ofContainer(containerId);
    const problem = await restoreAll(entries, { proc, ledger }, signal);
    if (wish.type === 'refuse') this.#tell(containerId, { ...wish, type: 'refused', settings: null });
    else if (problem !== undefined)
      this.#tell(containerId, { type: 'refused', settings: null, reason: NOT_RESTORED, message: problem });
    else if (entries.length > 0) this.#tell(containerId, { type: 'reverted', settings: entries[0]?.original ?? null });
    else if (this.#states.get(containerId)?.state === 'Refused') this.#untell(containerId);
    return problem === undefined ? {} : { requeueAfterMs: pendingMs };
  }

  #tell(
    containerId: string,
    outcome: SetOutcome | { readonly type: 'reverted'; readonly settings: GcSettings | null },
  ): void {
    const state = stateOf(outcome, new Date());
    const known = this.#states.get(containerId);
    if (known && sameButTime(known, state)) return;
    this.#states.set(containerId, state);
    this.#options.log.info({ container: containerId, ...state }, 'live settings');
    this.#options.onChange(containerId);
  }

  #untell(containerId: string): void {
    this.#states.delete(containerId);
    this.#options.onChange(containerId);
  }
}

function isWished({ pod }: Selected): boolean {
  return pod.metadata.annotations[ANNOTATION_DESIRED] !== undefined;
}

const STATES = {
  applied: 'Applied',
  pending: 'Pending',
  awaited: 'Pending',
  refused: 'Refused',
  reverted: 'Reverted',
} as const;

function stateOf(
  outcome: SetOutcome | { readonly type: 'reverted'; readonly settings: GcSettings | null },
  at: Date,
): LiveState {
  const { settings } = outcome;
  return {
    state: STATES[outcome.type],
    ...(settings ? { gogc: settings.gcPercent } : {}),
    ...(settings?.memoryLimitBytes ? { memoryLimitBytes: settings.memoryLimitBytes } : {}),
    ...('reason' in outcome ? { reason: outcome.reason, message: outcome.message.slice(0, 1024) } : {}),
    at: at.toISOString(),
  };
}

function sameButTime({ at: _one, ...one }: LiveState, { at: _other, ...other }: LiveState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function limitOf({ pod, target }: Selected): number | null {
  return quantityBytes(memoryLimitOf(pod, target.container) ?? '') || null;
}
