/** The memory of exactly one running program, through /proc/PID/mem. It ends with the program, also when another one takes its place (exec). */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { entryOf } from './auxiliary-vector.ts';
import { errorCode } from './text-file.ts';
import type { Proc, ProcessIdentity } from './types.ts';

export type MemoryErrorCode = 'GONE' | 'NO_PERMISSION' | 'OTHER_PROGRAM';
/** Each user of the memory has errors of its own; those of opening it are among them. */
export type MemoryErrorClass = new (code: MemoryErrorCode, pid: number, message: string) => Error;

export interface ProcessMemory extends Disposable {
  /** Fills all of `bytes` from a link-time address. False when the memory is no longer there. */
  read(bytes: Buffer, linkAddress: number): boolean;
  /** Writes all of `bytes`. False when the memory is no longer there. */
  write(bytes: Buffer, linkAddress: number): boolean;
  close(): void;
}

export interface MemoryRequest {
  readonly process: ProcessIdentity;
  /** Link-time address of the entry of the program that it should run. */
  readonly entryAddress: number;
  readonly access: 'read' | 'readWrite';
}

const pageBytes = 4096;
const flags = { read: 'r', readWrite: 'r+' } as const;
const forbidden: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
const notThere: ReadonlySet<string> = new Set(['EIO', 'ESRCH', 'EFAULT']);

/** @throws MemoryError `GONE`, `NO_PERMISSION`, or `OTHER_PROGRAM`: its entry cannot be that of the program that was looked at. */
export function openMemory(
  proc: Proc,
  { process, entryAddress, access }: MemoryRequest,
  MemoryError: MemoryErrorClass,
): ProcessMemory {
  const { pid } = process;
  let fd: number;
  let auxv: Buffer;
  try {
    auxv = readFileSync(`${proc.root}/${pid}/auxv`);
    fd = openSync(`${proc.root}/${pid}/mem`, flags[access]);
  } catch (error) {
    const code = errorCode(error);
    if (!forbidden.has(code)) throw new MemoryError('GONE', pid, `process ${pid} has ended (${code})`);
    throw new MemoryError(
      'NO_PERMISSION',
      pid,
      `the memory of process ${pid} may not be ${access === 'read' ? 'read' : 'written'} (${code}): it takes CAP_SYS_PTRACE, and ${otherUsers[access]} for another user's process`,
    );
  }
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  try {
    // After the file is open: the memory it stands for stays that of this program, whatever PID or exec do from here on.
    if (!proc.isAlive(process)) throw new MemoryError('GONE', pid, `process ${pid} has ended`);
    const moved = (entryOf(auxv) ?? Number.NaN) - entryAddress;
    if (!(moved >= 0 && moved % pageBytes === 0))
      throw new MemoryError('OTHER_PROGRAM', pid, `process ${pid} does not run the program that was looked at`);
    // A closed number may be another file's by now.
    const whole = (move: () => number, bytes: Buffer): boolean => isOpen && whereItIs(move) === bytes.length;
    return {
      read: (bytes, address) => whole(() => readSync(fd, bytes, 0, bytes.length, address + moved), bytes),
      write: (bytes, address) => whole(() => writeSync(fd, bytes, 0, bytes.length, address + moved), bytes),
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

const otherUsers = { read: 'CAP_DAC_READ_SEARCH', readWrite: 'CAP_DAC_OVERRIDE' } as const;

/** Bytes moved: 0 of ended memory; also 0 where nothing is mapped, which the kernel tells as EIO. */
function whereItIs(move: () => number): number {
  try {
    return move();
  } catch (error) {
    if (notThere.has(errorCode(error))) return 0;
    throw error;
  }
}
