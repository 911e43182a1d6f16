/** The way to write a process's GC settings, or why there is none. */
import { findGcGlobals } from '../../gobin/index.ts';
import {
  GcWriteError,
  type GcWriter,
  openFileReader,
  openGcWriter,
  type Proc,
  type ProcessIdentity,
} from '../../host/index.ts';

export interface NoWriter {
  /** Of `GcWriteError`, or of what the binary was refused for. */
  readonly code: string;
  readonly message: string;
}

export function isNoWriter(opened: GcWriter | NoWriter): opened is NoWriter {
  return 'code' in opened;
}

export function writerOf(proc: Proc, { pid, startTicks }: ProcessIdentity): GcWriter | NoWriter {
  const executable = proc.executable(pid);
  if (!executable) return { code: 'GONE', message: `process ${pid} has ended` };
  try {
    using reader = openFileReader(executable.path);
    const globals = findGcGlobals(reader);
    if (globals.kind === 'refused') return { code: globals.reason, message: globals.message };
    return openGcWriter(proc, { pid, startTicks }, globals);
  } catch (error) {
    if (error instanceof GcWriteError) return error;
    throw error;
  }
}
