/** How far it has got with one process: what the probe makes of it, else its books, else why neither. */
import type { AttachPlan } from '../../gobin/index.ts';
import type { ControllerReader, Executable, Proc, ProcessIdentity } from '../../host/index.ts';
import { ProbeError } from '../../host/probe/index.ts';
import type { Attachments, PlanCache } from './attachments.ts';
import { openBooks } from './books.ts';
import type { WithoutProbe } from './missing.ts';

export type Progress =
  | {
      readonly kind: 'watched';
      readonly plan: AttachPlan;
      /** For what the probe does not tell; else why it cannot be had. */
      readonly books: ControllerReader | WithoutProbe;
    }
  | {
      readonly kind: 'read';
      readonly plan: AttachPlan;
      readonly reader: ControllerReader;
      readonly why: WithoutProbe;
      readonly retryAtMs: number;
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string; readonly retryAtMs: number };

export interface FollowTools {
  readonly proc: Proc;
  readonly plans: PlanCache;
  /** Null: no probe can work here, for the reason of `without`. */
  readonly attachments: Attachments | null;
  readonly without: WithoutProbe;
  readonly nowMs: number;
}

/** What the probe may refuse today and accept later, for example once others have been detached. */
export const retryMs = 30_000;
/** The room of a whole probe is at stake, not one process: these end the round. */
const probeIsGone: ReadonlySet<string> = new Set(['PROBE_EXITED', 'PROBE_STOPPED', 'PROBE_TIMEOUT', 'PROBE_PROTOCOL']);

/** What the probe cannot do to one process though it works: its books may be read all the same. */
const notByProbe: ReadonlySet<string> = new Set([
  'NO_PERMISSION',
  'NO_BPF',
  'ATTACH_FAILED',
  'FOREIGN_PID_NAMESPACE',
  'OTHER_FILE',
  'TOO_MANY_ATTACHMENTS',
  'TOO_MANY_TARGETS',
]);

/** Null when the process has ended meanwhile. Rejects only when the probe itself has failed. */
export async function begin(
  process: ProcessIdentity,
  executable: Executable,
  tools: FollowTools,
): Promise<Progress | null> {
  let plan: AttachPlan;
  try {
    const planned = tools.plans.planFor(executable);
    if (planned.kind === 'refused') return refused(planned.reason, planned.message, Number.POSITIVE_INFINITY);
    plan = planned;
  } catch (error) {
    return refused('unreadable', unreadableFile(executable, error), tools.nowMs + retryMs);
  }
  if (!tools.attachments) return beginReading(process, executable, plan, tools, tools.without);
  try {
    await tools.attachments.watch(process.pid, executable, plan);
  } catch (error) {
    if (isProbeGone(error)) throw error;
    const code = error instanceof ProbeError ? error.code : 'INTERNAL';
    if (code === 'NO_SUCH_PROCESS') return null;
    const why = { reason: code, message: text(error) };
    if (notByProbe.has(code)) return beginReading(process, executable, plan, tools, why);
    return refused(code, why.message, tools.nowMs + retryMs);
  }
  return { kind: 'watched', plan, books: booksBeside(process, executable, tools) };
}

/** Nothing to tell yet: the process has just begun, or has just ended. */
export const booksClosed: WithoutProbe = { reason: 'NOT_YET', message: 'the program has just begun' };

export function booksBeside(
  process: ProcessIdentity,
  executable: Executable,
  { proc, plans }: FollowTools,
): ControllerReader | WithoutProbe {
  const books = openBooks(proc, process, executable, plans);
  if (books.kind === 'open') return books.reader;
  if (books.kind === 'refused') return { reason: books.reason, message: books.message };
  return booksClosed;
}

/** Lets go of what is kept open for a process. */
export function closeBooks(progress: Progress): void {
  if (progress.kind === 'read') progress.reader.close();
  else if (progress.kind === 'watched' && 'close' in progress.books) progress.books.close();
}

function beginReading(
  process: ProcessIdentity,
  executable: Executable,
  plan: AttachPlan,
  { proc, plans, nowMs }: FollowTools,
  why: WithoutProbe,
): Progress | null {
  const books = openBooks(proc, process, executable, plans);
  if (books.kind === 'gone' || books.kind === 'early') return null;
  const retryAtMs = nowMs + retryMs;
  if (books.kind === 'open') return { kind: 'read', plan, reader: books.reader, why, retryAtMs };
  return refused(books.reason, `${why.message}; and without the probe: ${books.message}`, retryAtMs);
}

/** Seeing another's process does not include reading a file that its owner keeps to himself. */
function unreadableFile({ link }: Executable, error: unknown): string {
  const denied = error instanceof Error && 'code' in error && error.code === 'EACCES';
  const hint = 'its mode forbids others to read it: make it readable (chmod o+r), or add CAP_DAC_READ_SEARCH';
  return `${link} cannot be read: ${denied ? hint : text(error)}`;
}

export function unreadable(pid: number, nowMs: number): Progress {
  const all = 'run as root or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE';
  const message = `process ${pid} cannot be looked at: ${all}; as its own user its GC cycles are seen, its pauses not`;
  return refused('NO_PERMISSION', message, nowMs + retryMs);
}

export function refused(reason: string, message: string, retryAtMs: number): Progress {
  return { kind: 'refused', reason, message, retryAtMs };
}

export function isProbeGone(error: unknown): boolean {
  return error instanceof ProbeError && probeIsGone.has(error.code);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
