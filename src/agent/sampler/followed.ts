/** The processes of one target and how far the probe has got with each. */
import type { AttachPlan } from '../../gobin/index.ts';
import type { Executable, Proc } from '../../host/index.ts';
import { ProbeError } from '../../host/probe/index.ts';
import { type Attachments, fileKey, type PlanCache } from './attachments.ts';
import type { TargetState, WatchedProgram } from './types.ts';

type Progress =
  | { readonly kind: 'watched'; readonly plan: AttachPlan }
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string; readonly retryAtMs: number };

interface FollowedProcess {
  readonly pid: number;
  readonly startTicks: number;
  readonly executable: Executable | null;
  readonly progress: Progress;
}

export interface FollowTools {
  readonly proc: Proc;
  readonly plans: PlanCache;
  readonly attachments: Attachments;
  readonly nowMs: number;
}

/** What the probe may refuse today and accept later, for example once others have been detached. */
const retryMs = 30_000;
/** The room of a whole probe is at stake, not one process: these end the round. */
const probeIsGone: ReadonlySet<string> = new Set(['PROBE_EXITED', 'PROBE_STOPPED', 'PROBE_TIMEOUT', 'PROBE_PROTOCOL']);

export class Followed {
  readonly #processes = new Map<number, FollowedProcess>();

  /** Processes that the probe watches, ascending. */
  watched(): number[] {
    return this.programs().map(({ pid }) => pid);
  }

  programs(): WatchedProgram[] {
    return [...this.#processes.values()]
      .flatMap(({ pid, executable, progress }) =>
        progress.kind === 'watched' && executable ? [{ pid, executable, plan: progress.plan }] : [],
      )
      .sort((a, b) => a.pid - b.pid);
  }

  /** A new probe watches nothing yet. */
  reset(): void {
    this.#processes.clear();
  }

  /** The probe saw these end. */
  async gone(pids: readonly number[], attachments: Attachments): Promise<void> {
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

  async release(attachments: Attachments): Promise<void> {
    for (const pid of [...this.#processes.keys()]) await this.#drop(pid, attachments, false);
  }

  state(): TargetState {
    const processes = [...this.#processes.values()];
    for (const { progress } of processes) {
      if (progress.kind === 'watched')
        return { state: 'Watching', goVersion: progress.plan.goVersion, pids: this.watched() };
    }
    const refusals = processes.flatMap(({ progress }) => (progress.kind === 'refused' ? [progress] : []));
    // A shell beside a Go program that is too old: the program's refusal is the one that matters.
    const refusal = refusals.find(({ reason }) => reason !== 'not-go') ?? refusals[0];
    if (refusal) return { state: 'Refused', reason: refusal.reason, message: refusal.message };
    return { state: 'Waiting', reason: 'NoProcess', message: 'no running process was found in this container yet' };
  }

  async #followOne(pid: number, tools: FollowTools): Promise<void> {
    const identity = tools.proc.identity(pid);
    if (!identity) return this.#drop(pid, tools.attachments, true);
    const executable = tools.proc.executable(pid) ?? null;
    const known = this.#processes.get(pid);
    if (known) {
      const same = known.startTicks === identity.startTicks && keyOrNull(known.executable) === keyOrNull(executable);
      const settled = known.progress.kind === 'watched' || tools.nowMs < known.progress.retryAtMs;
      if (same && settled) return;
      // Another process under the same PID, or the same one after exec.
      await this.#drop(pid, tools.attachments, known.startTicks !== identity.startTicks);
    }
    if (!executable && !tools.proc.isAlive(identity)) return;
    const progress = executable ? await begin(pid, executable, tools) : unreadable(pid, tools.nowMs);
    if (progress) this.#processes.set(pid, { pid, startTicks: identity.startTicks, executable, progress });
  }

  async #drop(pid: number, attachments: Attachments, gone: boolean): Promise<void> {
    const known = this.#processes.get(pid);
    if (!known) return;
    this.#processes.delete(pid);
    if (known.progress.kind !== 'watched' || !known.executable) return;
    try {
      await attachments.unwatch(pid, known.executable, gone);
    } catch (error) {
      if (isProbeGone(error)) throw error;
      // NOT_WATCHED: the process ended between our look and this command.
    }
  }
}

async function begin(pid: number, executable: Executable, tools: FollowTools): Promise<Progress | null> {
  let plan: AttachPlan;
  try {
    const planned = tools.plans.planFor(executable);
    if (planned.kind === 'refused') return refused(planned.reason, planned.message, Number.POSITIVE_INFINITY);
    plan = planned;
  } catch (error) {
    return refused('unreadable', unreadableFile(executable, error), tools.nowMs + retryMs);
  }
  try {
    await tools.attachments.watch(pid, executable, plan);
    return { kind: 'watched', plan };
  } catch (error) {
    if (isProbeGone(error)) throw error;
    if (error instanceof ProbeError && error.code === 'NO_SUCH_PROCESS') return null;
    const code = error instanceof ProbeError ? error.code : 'INTERNAL';
    return refused(code, text(error), tools.nowMs + retryMs);
  }
}

/** Seeing another's process does not include reading a file that its owner keeps to himself. */
function unreadableFile({ link }: Executable, error: unknown): string {
  const denied = error instanceof Error && 'code' in error && error.code === 'EACCES';
  const hint = 'its mode forbids others to read it: make it readable (chmod o+r), or add CAP_DAC_READ_SEARCH';
  return `${link} cannot be read: ${denied ? hint : text(error)}`;
}

function unreadable(pid: number, nowMs: number): Progress {
  const message = `process ${pid} cannot be looked at: run as root, as its own user, or with CAP_SYS_PTRACE`;
  return refused('NO_PERMISSION', message, nowMs + retryMs);
}

function refused(reason: string, message: string, retryAtMs: number): Progress {
  return { kind: 'refused', reason, message, retryAtMs };
}

function keyOrNull(executable: Executable | null): string | null {
  return executable ? fileKey(executable) : null;
}

export function isProbeGone(error: unknown): boolean {
  return error instanceof ProbeError && probeIsGone.has(error.code);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
