import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ClusterError } from './errors.ts';

/**
 * Which process was started, in a form that survives this program: the number alone may have been given to another
 * process since, so the kernel's start time (clock ticks since boot, field 22 of /proc/PID/stat) goes with it.
 */
export const processRecordSchema = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  startTicks: z.string(),
  command: z.array(z.string()),
  logPath: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecordSchema>;

export interface DaemonOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly logPath: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The kernel ends the process when the thread that started it ends, however that ends. */
  readonly dieWithParent?: boolean;
}

/** Starts a process in a session of its own, so that a Ctrl-C in the terminal does not reach it; output goes to its log. */
export async function startDaemon(options: DaemonOptions): Promise<ProcessRecord> {
  const prefix = options.dieWithParent === true ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  const [program = '', ...args] = [...prefix, ...options.command];
  const log = openSync(options.logPath, 'a');
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: options.env ?? process.env });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(
        new ClusterError('MISSING_PROGRAM', `cannot start ${options.name} (${program}): ${cause.message}`, { cause }),
      ),
    );
  });
  child.unref();
  const pid = child.pid ?? 0;
  const startTicks = startTicksOf(pid);
  if (startTicks === undefined) throw endedError(options.name, options.logPath);
  return { name: options.name, pid, startTicks, command: [...options.command], logPath: options.logPath };
}

/** True while the recorded process itself runs; false for a zombie and for another process under the same number. */
export function isRunning(record: Pick<ProcessRecord, 'pid' | 'startTicks'>): boolean {
  return startTicksOf(record.pid) === record.startTicks;
}

/** @throws ClusterError PROCESS_ENDED with the end of its log. */
export function assertRunning(record: ProcessRecord): void {
  if (!isRunning(record)) throw endedError(record.name, record.logPath);
}

/** SIGTERM, then SIGKILL after the grace period; returns when the process is gone. Does nothing when it already is. */
export async function stopProcess(record: ProcessRecord, graceMs = 5_000): Promise<void> {
  if (!sendSignal(record, 'SIGTERM')) return;
  if (await waitUntil(() => !isRunning(record), graceMs)) return;
  sendSignal(record, 'SIGKILL');
  await waitUntil(() => !isRunning(record), 5_000);
}

/** @returns false when the recorded process no longer runs. */
export function sendSignal(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (!isRunning(record)) return false;
  try {
    process.kill(record.pid, signal);
    return true;
  } catch {
    return false; // it ended between the check and the signal
  }
}

export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    if (await condition()) return true;
    if (performance.now() >= endMs) return false;
    await sleep(50);
  }
}

/** Resident set size in bytes, undefined when the process is gone. */
export function rssBytesOf(pid: number): number | undefined {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, 'status') ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

export function startTicksOf(pid: number): string | undefined {
  const stat = readProc(pid, 'stat');
  return stat === undefined ? undefined : parseStartTicks(stat);
}

/**
 * The command name in parentheses may hold blanks and parentheses itself, so count from the last one. A zombie has ended,
 * unless it is only the first of several threads: while the others are dying, the process still holds its ports.
 */
export function parseStartTicks(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, startTicks] = [fields[0], Number(fields[17]), fields[19]];
  return state === 'X' || (state === 'Z' && threads <= 1) ? undefined : startTicks;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function endedError(name: string, logPath: string): ClusterError {
  let tail = '';
  try {
    tail = readFileSync(logPath, 'utf8').trim().split('\n').slice(-8).join('\n');
  } catch {
    // no log, no words
  }
  return new ClusterError('PROCESS_ENDED', `${name} ended by itself; its log is ${logPath}\n${tail}`);
}
