/** What processes take of the machine, from /proc. */
import { readdir, readFile } from 'node:fs/promises';

/** USER_HZ: fixed at 100 in the kernel's interface on every architecture that Node runs on. */
const ticksPerSecond = 100;

export interface ProcessUsage {
  readonly pid: number;
  readonly parentPid: number;
  /** User and system time since it began. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** RSS with shared pages divided among their sharers; equals RSS where the kernel does not tell. */
  readonly pssBytes: number;
  readonly command: string;
}

/** One process, or undefined when it has ended. */
export async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, status, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    const rssBytes = kib(status, 'VmRSS') ?? 0;
    return {
      pid,
      ...parseStat(stat),
      rssBytes,
      pssBytes: (await pssOf(pid)) ?? rssBytes,
      command: commandLine.split('\0').join(' ').trim(),
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}

/** Time on a processor since its one thread began, exact where the ticks of `usageOf` are 10 ms. */
export async function runSecondsOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')[0]) / 1e9;
}

/** System calls by which it has read since it began; not those of its children. */
export async function readsOf(pid: number): Promise<number> {
  return Number(/^syscr: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** All processes of the machine. */
export async function allUsages(): Promise<ProcessUsage[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const usages = await Promise.all(pids.map((pid) => usageOf(pid)));
  return usages.filter((usage) => usage !== undefined);
}

/** The process and all its descendants. */
export function tree(usages: readonly ProcessUsage[], pid: number): ProcessUsage[] {
  const own = usages.filter((usage) => usage.pid === pid);
  const children = usages.filter((usage) => usage.parentPid === pid);
  return [...own, ...children.flatMap((child) => tree(usages, child.pid))];
}

/** proc(5): the name in field 2 may hold anything, so fields are counted behind its last bracket. */
export function parseStat(stat: string): { parentPid: number; cpuSeconds: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return { parentPid: field(4), cpuSeconds: (field(14) + field(15)) / ticksPerSecond };
}

async function pssOf(pid: number): Promise<number | undefined> {
  try {
    return kib(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss');
  } catch {
    return undefined; // another user's, or a kernel thread
  }
}

function kib(text: string, name: string): number | undefined {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
}
