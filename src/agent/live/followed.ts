/** Settings that the programs of a container set themselves, as their file says (docs/cooperation.md): read from their books, never written. */
import { ControllerReadError, type GcSettings, type Proc, type ProcessIdentity } from '../../host/index.ts';
import type { PlanCache } from '../sampler/attachments.ts';
import { openBooks } from '../sampler/books.ts';
import { has, type SetOutcome } from './processes.ts';

/** In effect in all of its processes, or in which it is not yet. Without any process nothing is left to wait for. */
export function lookAll(
  processes: readonly ProcessIdentity[],
  wanted: Partial<GcSettings>,
  proc: Proc,
  plans: PlanCache,
): SetOutcome {
  let inEffect: GcSettings | undefined;
  for (const process of processes) {
    const look = lookAt(process, wanted, proc, plans);
    if (look.type === 'gone') continue;
    if (look.type !== 'applied') return look;
    inEffect ??= look.settings;
  }
  if (inEffect) return { type: 'applied', settings: inEffect };
  return { type: 'refused', settings: null, reason: 'NoProcess', message: 'no Go process runs in it' };
}

function lookAt(
  process: ProcessIdentity,
  wanted: Partial<GcSettings>,
  proc: Proc,
  plans: PlanCache,
): SetOutcome | { readonly type: 'gone' } {
  const executable = proc.executable(process.pid);
  if (!executable) return { type: 'gone' };
  const opened = openBooks(proc, process, executable, plans);
  if (opened.kind === 'early') return awaited(null, `process ${process.pid} has just begun`);
  if (opened.kind !== 'open') return goneOr(opened.kind === 'refused' ? opened : undefined, process, proc);
  using books = opened.reader;
  try {
    const read = books.read();
    if (!read) return { type: 'gone' };
    const settings = { gcPercent: read.gcPercent, memoryLimitBytes: read.memoryLimitBytes };
    if (has(settings, wanted)) return { type: 'applied', settings };
    return awaited(settings, `process ${process.pid} has ${inWords(settings)}`);
  } catch (error) {
    if (!(error instanceof ControllerReadError)) throw error;
    return goneOr({ reason: error.code, message: error.message }, process, proc);
  }
}

/** What cannot be read of a process that ends meanwhile says nothing. */
function goneOr(
  refusal: { readonly reason: string; readonly message: string } | undefined,
  process: ProcessIdentity,
  proc: Proc,
): SetOutcome | { readonly type: 'gone' } {
  if (!refusal || !proc.isAlive(process)) return { type: 'gone' };
  return { type: 'refused', settings: null, reason: refusal.reason, message: refusal.message };
}

function awaited(settings: GcSettings | null, now: string): SetOutcome {
  return {
    type: 'awaited',
    settings,
    reason: 'AwaitsProgram',
    message: `${now}: the program has not taken up what its file says (docs/cooperation.md)`,
  };
}

function inWords({ gcPercent, memoryLimitBytes }: GcSettings): string {
  return `GOGC=${gcPercent}, GOMEMLIMIT=${memoryLimitBytes ?? 'none'}`;
}
