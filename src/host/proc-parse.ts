import type { CgroupMembership, GoEnvironment, ProcessStatus } from './types.ts';

/** The parts used of `/proc/PID/stat` (proc_pid_stat(5)). The command may itself hold spaces and parentheses: the last `)` ends it. */
export interface ProcessStat {
  readonly pid: number;
  readonly comm: string;
  /** One letter: R, S, D, Z, X, … */
  readonly state: string;
  readonly startTicks: number;
}

export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const pid = Number(text.slice(0, open).trim());
  // After the command: field 3 is the state, field 22 the start time.
  const fields = text
    .slice(close + 1)
    .trim()
    .split(' ');
  const state = fields[0];
  const startTicks = Number(fields[19]);
  if (state === undefined || state.length !== 1 || !isCount(pid) || fields[19] === undefined || !isCount(startTicks))
    return undefined;
  return { pid, comm: text.slice(open + 1, close), state, startTicks };
}

/** `NSpid` and `VmRSS` of `/proc/PID/status`. Kernels before 4.1 have no NSpid: then the PID alone. */
export function parseStatus(text: string): ProcessStatus | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1];
  const pids = (field('NSpid') ?? field('Pid'))?.trim().split(/\s+/).map(Number);
  if (pids === undefined || pids.length === 0 || !pids.every(isCount)) return undefined;
  const rssKb = /^(\d+) kB$/.exec(field('VmRSS')?.trim() ?? '')?.[1];
  return { namespacePids: pids, rssBytes: rssKb === undefined ? null : Number(rssKb) * 1024 };
}

/** `hierarchy:controllers:path` lines (cgroups(7)). Lines that are none are left out. */
export function parseCgroups(text: string): CgroupMembership[] {
  const memberships: CgroupMembership[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d{1,9}):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, hierarchy, controllers = '', path = '/'] = match;
    memberships.push({
      hierarchy: Number(hierarchy),
      controllers: controllers === '' ? [] : controllers.split(','),
      // The kernel appends this to the path of a removed cgroup that still has a zombie.
      path: path.replace(/ \(deleted\)$/, ''),
    });
  }
  return memberships;
}

const goVariables = ['GOGC', 'GOMEMLIMIT', 'GODEBUG', 'GOMAXPROCS'] as const;

/** Picks Go's variables out of `/proc/PID/environ`; everything else (secrets among it) is dropped here. The first of two counts, as in Go. */
export function parseGoEnvironment(text: string): GoEnvironment {
  const found: { -readonly [name in keyof GoEnvironment]: GoEnvironment[name] } = {};
  for (const entry of text.split('\0')) {
    for (const name of goVariables) {
      if (found[name] === undefined && entry.startsWith(`${name}=`)) found[name] = entry.slice(name.length + 1);
    }
  }
  return found;
}

/** NUL-separated arguments. */
export function parseCommandLine(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\0$/, '').split('\0');
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
