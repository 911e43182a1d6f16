/** The processes of one target, and how each is watched: by the probe, or by reading its own books where the probe cannot. */
import type { GcLimiter, HeapNow } from '../../host/index.ts';
import { type Attachments, fileKey } from './attachments.ts';
import type { GcReading } from './books-ledger.ts';
import { missingOfAll } from './missing.ts';
import { heapsOf, limitersOf, readingsOf } from './process-books.ts';
import { type FollowedProcess, type Known, knownOf, missingOf } from './process-state.ts';
import {
  begin,
  booksBeside,
  booksClosed,
  closeBooks,
  type FollowTools,
  isProbeGone,
  refused,
  retryMs,
  unreadable,
} from './progress.ts';
import type { MissingSignals, TargetState, WatchedProgram } from './types.ts';

/**
 * A process executes another program soon after its start (an entry point's shell) or never: so long it is looked at in each round. Later
 * on a look, four system calls, comes at this pace: the probe tells at once where one did so all the same, and that it ended. Without the
 * probe nobody does.
 */
const youngMs = 10_000;
const settledCheckMs = 30_000;
const checkWithoutProbeMs = 10_000;

export class Followed {
  readonly #processes = new Map<number, FollowedProcess>();

  /** What is asked for several times a tick, as long as no process comes, goes or gets another answer. */
  #known: Known | null = null;
  #missing: { readonly of: Attachments | null; readonly revision: number; readonly signals: MissingSignals[] } | null =
    null;
  /** As they were followed last, and from when on one of them is to be looked at again. */
  #settled: { readonly pids: readonly number[]; readonly untilMs: number } | null = null;

  /** Processes that are watched, one way or the other, ascending. */
  watched(): readonly number[] {
    return this.#now().watched;
  }

  programs(): readonly WatchedProgram[] {
    return this.#now().programs;
  }

  /** The same object until it changes. */
  state(): TargetState {
    return this.#now().state;
  }

  /** What the books of those processes say now that the probe does not watch. A process that has ended has none. */
  readings(nowMs: number): ReadonlyMap<number, GcReading> {
    const { values, refusals } = readingsOf(this.#processes.values());
    for (const [process, { code, message }] of refusals ?? [])
      process.progress = refused(code, message, nowMs + retryMs);
    if (refusals) this.#changed();
    return values;
  }

  /** Whether the runtime limits its collector, of each process that tells. */
  limiters(): ReadonlyMap<number, GcLimiter> {
    return limitersOf(this.#processes.values());
  }

  /** What each process has allocated that the probe watches; of those that tell. */
  heaps(): ReadonlyMap<number, HeapNow> {
    const { values, refusals } = heapsOf(this.#processes.values());
    for (const [process, { code, message }] of refusals ?? []) {
      if (process.progress.kind === 'watched')
        process.progress = { ...process.progress, books: { reason: code, message } };
    }
    if (refusals) this.#changed();
    return values;
  }

  /** Signals that are not seen of at least one process. The same array until that changes. */
  missing(attachments: Attachments | null): MissingSignals[] {
    const revision = attachments?.revision ?? 0;
    if (this.#missing?.of === attachments && this.#missing.revision === revision) return this.#missing.signals;
    const signals = missingOfAll([...this.#processes.values()].map((process) => missingOf(process, attachments)));
    this.#missing = { of: attachments, revision, signals };
    return signals;
  }

  /** A new probe watches nothing yet, and what was read without one is its to watch. */
  reset(): void {
    for (const { progress } of this.#processes.values()) closeBooks(progress);
    this.#processes.clear();
    this.#changed();
  }

  /** The probe saw these execute another program: they are looked at again in the next round. */
  changed(pids: readonly number[]): void {
    for (const pid of pids) {
      const known = this.#processes.get(pid);
      if (!known) continue;
      known.checkAtMs = 0;
      this.#settled = null;
    }
  }

  /** The probe saw these end. */
  async gone(pids: readonly number[], attachments: Attachments | null): Promise<void> {
    for (const pid of pids) await this.#drop(pid, attachments, true);
  }

  /** Brings the watched processes in line with those that are there. Rejects only when the probe itself has failed. */
  async follow(pids: readonly number[], tools: FollowTools): Promise<void> {
    const present = new Set(pids);
    for (const pid of [...this.#processes.keys()]) {
      if (!present.has(pid)) await this.#drop(pid, tools.attachments, false);
    }
    for (const pid of pids) await this.#followOne(pid, tools);
    this.#settle(pids);
  }

  /** Whether `follow` would do nothing: these are the processes of the time before, and none is to be looked at yet. */
  isSettled(pids: readonly number[], nowMs: number): boolean {
    return this.#settled !== null && this.#settled.pids === pids && nowMs < this.#settled.untilMs;
  }

  async release(attachments: Attachments | null): Promise<void> {
    for (const pid of [...this.#processes.keys()]) await this.#drop(pid, attachments, false);
  }

  #settle(pids: readonly number[]): void {
    let untilMs = Number.POSITIVE_INFINITY;
    for (const pid of pids) untilMs = Math.min(untilMs, this.#processes.get(pid)?.checkAtMs ?? 0);
    this.#settled = { pids, untilMs };
  }

  /** A process came, went, or got another answer. */
  #changed(): void {
    this.#known = null;
    this.#missing = null;
    this.#settled = null;
  }

  #now(): Known {
    this.#known ??= knownOf([...this.#processes.values()]);
    return this.#known;
  }

  async #followOne(pid: number, tools: FollowTools): Promise<void> {
    const known = this.#processes.get(pid);
    if (known && tools.nowMs < known.checkAtMs) return;
    const identity = tools.proc.identity(pid);
    if (!identity) return this.#drop(pid, tools.attachments, true);
    const seen = tools.proc.executable(pid) ?? null;
    const seenKey = seen && fileKey(seen);
    if (known) {
      const same = known.startTicks === identity.startTicks && known.seenKey === seenKey;
      const settled = known.progress.kind === 'watched' || tools.nowMs < known.progress.retryAtMs;
      if (same && (settled || (await retried(known, tools)))) {
        known.checkAtMs = nextCheckMs(known, tools.nowMs);
        if (openLate(known, tools) || !settled) this.#changed();
        if (known.progress.kind === 'watched') await tools.attachments?.look(pid);
        return;
      }
      // Another process under the same PID, or the same one after exec.
      await this.#drop(pid, tools.attachments, known.startTicks !== identity.startTicks);
    }
    const runs = () => tools.proc.isAlive(identity) && tools.proc.hasProgram(pid);
    if (!seen && !runs()) return;
    const executable = seen && tools.attachments ? await tools.attachments.known(pid, seen) : seen;
    const progress = executable ? await begin(identity, executable, tools) : unreadable(pid, tools.nowMs);
    // Who ends while it is looked at was not refused anything.
    if (!progress || (progress.kind === 'refused' && !runs())) return;
    const { startTicks } = identity;
    const sinceMs = tools.nowMs;
    this.#processes.set(pid, { pid, startTicks, seenKey, executable, progress, sinceMs, checkAtMs: sinceMs });
    this.#changed();
  }

  async #drop(pid: number, attachments: Attachments | null, gone: boolean): Promise<void> {
    const known = this.#processes.get(pid);
    if (!known) return;
    this.#processes.delete(pid);
    this.#changed();
    closeBooks(known.progress);
    if (known.progress.kind !== 'watched' || !known.executable || !attachments) return;
    try {
      await attachments.unwatch(pid, known.executable, gone);
    } catch (error) {
      if (isProbeGone(error)) throw error;
      // Refused: the probe has let go of it already.
    }
  }
}

/** The books of a process that had only just begun. @returns whether they were tried */
function openLate(known: FollowedProcess, tools: FollowTools): boolean {
  const { pid, startTicks, executable, progress } = known;
  if (progress.kind !== 'watched' || progress.books !== booksClosed || !executable) return false;
  known.progress = { ...progress, books: booksBeside({ pid, startTicks }, executable, tools) };
  return true;
}

/** Whether a process whose books are read is settled again: the probe watches it now, or still cannot. */
async function retried(known: FollowedProcess, tools: FollowTools): Promise<boolean> {
  const { pid, startTicks, executable, progress } = known;
  if (progress.kind !== 'read' || !executable) return false;
  const next = tools.attachments ? await begin({ pid, startTicks }, executable, tools) : null;
  if (next?.kind !== 'watched') {
    if (next?.kind === 'read') next.reader.close();
    known.progress = { ...progress, retryAtMs: tools.nowMs + retryMs };
    return true;
  }
  progress.reader.close();
  known.progress = next;
  return true;
}

/** Checks of many that came at once are spread over some ticks; what waits for a retry is not looked at later than that. */
function nextCheckMs({ pid, sinceMs, progress }: FollowedProcess, nowMs: number): number {
  if (nowMs - sinceMs < youngMs) return nowMs;
  if (progress.kind === 'watched') return nowMs + settledCheckMs - (pid % 16) * 1000;
  return Math.min(nowMs + checkWithoutProbeMs - (pid % 8) * 500, progress.retryAtMs);
}
