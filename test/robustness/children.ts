/** Processes by their parents, and until when they are there. */
import { readFileSync } from 'node:fs';
import { openProc } from '../../src/host/index.ts';
import { until } from '../support/until.ts';

const proc = openProc();

export function childrenOf(parent: number, comm: string): number[] {
  return proc.pids().filter((pid) => proc.comm(pid) === comm && parentOf(pid) === parent);
}

export async function childOf(parent: number, comm: string): Promise<number> {
  await until(`process ${parent} has a child ${comm}`, () => childrenOf(parent, comm).length > 0);
  return childrenOf(parent, comm)[0] ?? 0;
}

/** A zombie that its parent has not collected yet is not running. */
export function isRunning(pid: number): boolean {
  const state = stat(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function parentOf(pid: number): number {
  return Number(stat(pid)?.[1]);
}

/** User and system time since it began, in seconds. */
export function cpuSecondsOf(pid: number): number {
  const fields = stat(pid);
  return (Number(fields?.[11]) + Number(fields?.[12])) / 100;
}

export function residentBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/** Fields from the state on (proc_pid_stat(5)). */
function stat(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}
