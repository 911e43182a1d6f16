/** Settings that the programs of a container set themselves, as their file says (docs/cooperation.md): read from their books, never written. */
import { findGcGlobals } from '../../gobin/index.ts';
import {
  ControllerReadError,
  type GcSettings,
  openController,
  openFileReader,
  type Proc,
  type ProcessIdentity,
} from '../../host/index.ts';
import { has, type SetOutcome } from './processes.ts';

/** In effect in all of its processes, or in which it is not yet. Without any process nothing is left to wait for. */
export function lookAll(proc: Proc, processes: readonly ProcessIdentity[], wanted: Partial<GcSettings>): SetOutcome {
  let inEffect: GcSettings | undefined;
  for (const process of processes) {
    const read = settingsOf(proc, process);
    if (read === undefined) continue;
    if ('message' in read) return { type: 'refused', settings: null, ...read };
    inEffect ??= read;
    if (!has(read, wanted)) return awaited(process, read);
  }
  if (inEffect) return { type: 'applied', settings: inEffect };
  return { type: 'refused', settings: null, reason: 'NoProcess', message: 'no Go process runs in it' };
}

/** Undefined: it has ended. */
function settingsOf(
  proc: Proc,
  process: ProcessIdentity,
): GcSettings | { readonly reason: string; readonly message: string } | undefined {
  const executable = proc.executable(process.pid);
  if (!executable) return undefined;
  try {
    using file = openFileReader(executable.path);
    const globals = findGcGlobals(file);
    if (globals.kind === 'refused') return { reason: globals.reason, message: globals.message };
    using books = openController(proc, process, globals);
    const read = books.read();
    return read && { gcPercent: read.gcPercent, memoryLimitBytes: read.memoryLimitBytes };
  } catch (error) {
    if (!(error instanceof ControllerReadError)) throw error;
    return error.code === 'GONE' ? undefined : { reason: error.code, message: error.message };
  }
}

function awaited({ pid }: ProcessIdentity, { gcPercent, memoryLimitBytes }: GcSettings): SetOutcome {
  const now = `process ${pid} has GOGC=${gcPercent}, GOMEMLIMIT=${memoryLimitBytes ?? 'none'}`;
  return {
    type: 'awaited',
    settings: { gcPercent, memoryLimitBytes },
    reason: 'AwaitsProgram',
    message: `${now}: the program has not taken up what its file says (docs/cooperation.md)`,
  };
}
