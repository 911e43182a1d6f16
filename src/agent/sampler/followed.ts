/** The processes of one target, and how each is watched: by the probe, or by reading its own books where the probe cannot. */
import {
  ControllerReadError,
  type ControllerReader,
  type Executable,
  type GcLimiter,
  type HeapNow,
} from '../../host/index.ts';
import { type Attachments, fileKey } from './attachments.ts';
import { readBooks } from './books.ts';
import type { GcReading } from './books-ledger.ts';
import { missingFromBooks, missingInProgram, missingOfAll } from './missing.ts';
import {
  begin,
  booksBeside,
  booksClosed,
  closeBooks,
  type FollowTools,
  isProbeGone,
  type Progress,
  refused,
  retryMs,
  unreadable,
} from './progress.ts';
import type { MissingSignals, TargetState, WatchedProgram } from './types.ts';

interface FollowedProcess {
  readonly pid: number;
  readonly startTicks: number;
  /** Of its executable as its own mounts show it. */
  readonly seenKey: string | null;
  /** As the probe's attachments know it. */
  readonly executable: Executable | null;
  progress: Progress;
  readonly sinceMs: number;
  /** Monotonic: from when on it is looked at again. */
  checkAtMs: number;
}

/**
 * A process executes another program soon after its start (an entry point's shell) or never: so long it is looked at in each round. Later
 * on a look, three system calls, comes at this pace: the probe tells at once where one did so all the same, and that it ended.
 */
const youngMs = 10_000;
const settledCheckMs = 10_000;

export class Followed {
  readonly #processes = new Map<number, FollowedProcess>();

  /** What is asked for several times a tick, as long as no process comes, goes or gets another answer. */
  #known: Known | null = null;

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
  readings(nowMs: number): Map<number, GcReading> {
    const found = new Map<number, GcReading>();
    for (const process of this.#processes.values()) {
      const { pid, progress } = process;
      if (progress.kind !== 'read') continue;
      try {
        const reading = readBooks(progress.reader);
        if (reading) found.set(pid, reading);
      } catch (error) {
        if (!(error instanceof ControllerReadError)) throw error;
        progress.reader.close();
        process.progress = refused(error.code, error.message, nowMs + retryMs);
        this.#known = null;
      }
    }
    return found;
  }

  /** Whether the runtime limits its collector, of each process that tells. */
  limiters(): Map<number, GcLimiter> {
    const found = new Map<number, GcLimiter>();
    for (const { pid, progress } of this.#processes.values()) {
      const limiter = readerOf(progress)?.readLimiter();
      if (limiter) found.set(pid, limiter);
    }
    return found;
  }

  /** What each process has allocated that the probe watches; of those that tell. */
  heaps(): Map<number, HeapNow> {
    const found = new Map<number, HeapNow>();
    for (const process of this.#processes.values()) {
      const { pid, progress } = process;
      if (progress.kind !== 'watched' || !('read' in progress.books)) continue;
      try {
        const heap = progress.books.readHeap();
        if (heap) found.set(pid, heap);
      } catch (error) {
        if (!(error instanceof ControllerReadError)) throw error;
        progress.books.close();
        process.progress = { ...progress, books: { reason: error.code, message: error.message } };
      }
    }
    return found;
  }

  /** Signals that are not seen of at least one process. */
  missing(attachments: Attachments | null): MissingSignals[] {
    return missingOfAll([...this.#processes.values()].map((process) => missingOf(process, attachments)));
  }

  /** A new probe watches nothing yet, and what was read without one is its to watch. */
  reset(): void {
    for (const { progress } of this.#processes.values()) closeBooks(progress);
    this.#processes.clear();
    this.#known = null;
  }

  /** The probe saw these execute another program: they are looked at again in the next round. */
  changed(pids: readonly number[]): void {
    for (const pid of pids) {
      const known = this.#processes.get(pid);
      if (known) known.checkAtMs = 0;
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
  }

  async release(attachments: Attachments | null): Promise<void> {
    for (const pid of [...this.#processes.keys()]) await this.#drop(pid, attachments, false);
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
        if (!settled) this.#known = null;
        return openLate(known, tools);
      }
      // Another process under the same PID, or the same one after exec.
      await this.#drop(pid, tools.attachments, known.startTicks !== identity.startTicks);
    }
    if (!seen && !tools.proc.isAlive(identity)) return;
    const executable = seen && tools.attachments ? await tools.attachments.known(pid, seen) : seen;
    const progress = executable ? await begin(identity, executable, tools) : unreadable(pid, tools.nowMs);
    // Who ends while it is looked at was not refused anything.
    if (!progress || (progress.kind === 'refused' && !tools.proc.isAlive(identity))) return;
    const { startTicks } = identity;
    const sinceMs = tools.nowMs;
    this.#processes.set(pid, { pid, startTicks, seenKey, executable, progress, sinceMs, checkAtMs: sinceMs });
    this.#known = null;
  }

  async #drop(pid: number, attachments: Attachments | null, gone: boolean): Promise<void> {
    const known = this.#processes.get(pid);
    if (!known) return;
    this.#processes.delete(pid);
    this.#known = null;
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

/** The books of a process that had only just begun. */
function openLate(known: FollowedProcess, tools: FollowTools): void {
  const { pid, startTicks, executable, progress } = known;
  if (progress.kind !== 'watched' || progress.books !== booksClosed || !executable) return;
  known.progress = { ...progress, books: booksBeside({ pid, startTicks }, executable, tools) };
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
  const checkAtMs = nowMs + settledCheckMs - (pid % 8) * 500;
  return progress.kind === 'watched' ? checkAtMs : Math.min(checkAtMs, progress.retryAtMs);
}

/** Without its books the allocation rate is that between two cycles, which may be long ago. */
const onlyInBooks = ['gc.limiterOn', 'gc.allocBytesPerSecond'];

function missingOf({ pid, progress }: FollowedProcess, attachments: Attachments | null): readonly MissingSignals[] {
  if (progress.kind === 'read') return [missingFromBooks(progress.why)];
  if (progress.kind === 'refused') return [];
  const { plan, books } = progress;
  const withoutBooks = 'read' in books || books === booksClosed ? [] : [{ signals: onlyInBooks, ...books }];
  return [...missingInProgram(plan), ...(attachments?.missingOf(pid) ?? []), ...withoutBooks];
}

interface Known {
  readonly programs: readonly WatchedProgram[];
  readonly watched: readonly number[];
  readonly state: TargetState;
}

function knownOf(processes: readonly FollowedProcess[]): Known {
  const programs = processes
    .flatMap(({ pid, executable, progress }) =>
      progress.kind !== 'refused' && executable ? [{ pid, executable, plan: progress.plan }] : [],
    )
    .sort((a, b) => a.pid - b.pid);
  return { programs, watched: programs.map(({ pid }) => pid), state: stateOf(processes, programs) };
}

function stateOf(processes: readonly FollowedProcess[], programs: readonly WatchedProgram[]): TargetState {
  const [first] = programs;
  if (first) return { state: 'Watching', goVersion: first.plan.goVersion, pids: programs.map(({ pid }) => pid) };
  const refusals = processes.flatMap(({ progress }) => (progress.kind === 'refused' ? [progress] : []));
  // A shell beside a Go program that is too old: the program's refusal is the one that matters.
  const refusal = refusals.find(({ reason }) => reason !== 'not-go') ?? refusals[0];
  if (refusal) return { state: 'Refused', reason: refusal.reason, message: refusal.message };
  return noProcess;
}

const noProcess: TargetState = {
  state: 'Waiting',
  reason: 'NoProcess',
  message: 'no running process was found in this container yet',
};

function readerOf(progress: Progress): ControllerReader | null {
  if (progress.kind === 'read') return progress.reader;
  return progress.kind === 'watched' && 'read' in progress.books ? progress.books : null;
}
