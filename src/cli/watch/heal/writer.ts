/** The way to write a process's GC settings, or the sentence that says why there is none. */
import { findGcGlobals } from '../../../gobin/index.ts';
import { GcWriteError, type GcWriter, openFileReader, openGcWriter } from '../../../host/index.ts';
import type { NamedProcess } from '../process.ts';

export function writerOf({ proc, pid, startTicks }: NamedProcess): GcWriter | string {
  const executable = proc.executable(pid);
  if (!executable) return `process ${pid} has ended`;
  try {
    using reader = openFileReader(executable.path);
    const globals = findGcGlobals(reader);
    return globals.kind === 'refused' ? globals.message : openGcWriter(proc, { pid, startTicks }, globals);
  } catch (error) {
    if (error instanceof GcWriteError) return error.message;
    throw error;
  }
}
