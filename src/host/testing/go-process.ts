/** A Go program that runs, as the reader and the writer of its books are given it. */
import { findGcGlobals, type GcGlobals } from '../../gobin/index.ts';
import { openFileReader } from '../file-reader.ts';
import type { Proc, ProcessIdentity } from '../types.ts';

export function globalsOf(file: string): GcGlobals {
  using reader = openFileReader(file);
  const globals = findGcGlobals(reader);
  if (globals.kind === 'refused') throw new Error(globals.message);
  return globals;
}

export function identityOf(proc: Proc, pid: number): ProcessIdentity {
  const identity = proc.identity(pid);
  if (identity === undefined) throw new Error(`no process ${pid}`);
  return identity;
}
