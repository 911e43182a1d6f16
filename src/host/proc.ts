import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { parseCgroups, parseCommandLine, parseGoEnvironment, parseStat, parseStatus } from './proc-parse.ts';
import { errorCode, textOf } from './text-file.ts';
import type { Executable, Proc } from './types.ts';

/** The kernel allows 2 MiB of arguments and environment by default (a quarter of an 8 MiB stack), 6 MiB at most. */
const maxArgumentBytes = 8 * 1024 * 1024;

/** Reads processes under `root`. In a pod with hostPID the host's processes are under its own /proc. */
export function openProc(root = '/proc'): Proc {
  const text = (pid: number, file: string, maxBytes?: number): string | undefined =>
    textOf(`${root}/${pid}/${file}`, maxBytes);
  const stat = (pid: number) => {
    const raw = text(pid, 'stat');
    return raw === undefined ? undefined : parseStat(raw);
  };
  return {
    root,
    pids() {
      const pids: number[] = [];
      for (const name of readdirSync(root)) {
        const first = name.charCodeAt(0);
        if (first >= 0x31 && first <= 0x39 && /^\d+$/.test(name)) pids.push(Number(name));
      }
      return pids.sort((a, b) => a - b);
    },
    newestPid() {
      const newest = textOf(`${root}/loadavg`)?.trimEnd().split(' ')[4];
      return newest === undefined || !/^\d+$/.test(newest) ? undefined : Number(newest);
    },
    identity(pid) {
      const found = stat(pid);
      return found === undefined ? undefined : { pid, startTicks: found.startTicks };
    },
    isAlive(process) {
      const now = stat(process.pid);
      return now !== undefined && now.startTicks === process.startTicks && now.state !== 'Z' && now.state !== 'X';
    },
    status(pid) {
      const raw = text(pid, 'status');
      return raw === undefined ? undefined : parseStatus(raw);
    },
    cgroups(pid) {
      const raw = text(pid, 'cgroup');
      return raw === undefined ? undefined : parseCgroups(raw);
    },
    executable(pid) {
      return executableOf(`${root}/${pid}/exe`);
    },
    hasProgram(pid) {
      try {
        readlinkSync(`${root}/${pid}/exe`);
        return true;
      } catch (error) {
        return !['ENOENT', 'ESRCH'].includes(errorCode(error));
      }
    },
    goEnvironment(pid) {
      const raw = text(pid, 'environ', maxArgumentBytes);
      return raw === undefined ? undefined : parseGoEnvironment(raw);
    },
    comm(pid) {
      return text(pid, 'comm')?.replace(/\n$/, '');
    },
    commandLine(pid) {
      const raw = text(pid, 'cmdline', maxArgumentBytes);
      return raw === undefined ? undefined : parseCommandLine(raw);
    },
  };
}

function executableOf(path: string): Executable | undefined {
  try {
    const link = readlinkSync(path);
    const file = statSync(path);
    return { path, link, device: file.dev, inode: file.ino, sizeBytes: file.size, modifiedMs: file.mtimeMs };
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
