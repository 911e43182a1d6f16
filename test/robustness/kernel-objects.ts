/** What a process holds in the kernel, what of it is left there, and what stands in a program's code. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { z } from 'zod';

const kinds = ['prog', 'link', 'map'] as const;
type Kind = (typeof kinds)[number];
export type KernelObjects = Readonly<Record<Kind, readonly number[]>>;

/** BPF programs, links and maps behind a process's descriptors (/proc/PID/fdinfo). */
export function kernelObjectsOf(pid: number): KernelObjects {
  const infos = readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
    try {
      return [readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')];
    } catch {
      return []; // closed meanwhile
    }
  });
  const ids = (kind: Kind): number[] =>
    // A link's description names its program too.
    infos.flatMap((info) => {
      const id = new RegExp(`^${kind}_id:\\s*(\\d+)$`, 'm').exec(info)?.[1];
      return id === undefined || (kind === 'prog' && info.includes('link_id:')) ? [] : [Number(id)];
    });
  return { prog: ids('prog'), link: ids('link'), map: ids('map') };
}

/** Those of these objects that the kernel still has, by bpftool. */
export function remaining(objects: KernelObjects): KernelObjects {
  const left = (kind: Kind): number[] => {
    const listed = z.array(z.object({ id: z.int() })).parse(JSON.parse(bpftool(kind, 'show', '-j')));
    const there = new Set(listed.map(({ id }) => id));
    return objects[kind].filter((id) => there.has(id));
  };
  return { prog: left('prog'), link: left('link'), map: left('map') };
}

export const count = (objects: KernelObjects): number => kinds.reduce((sum, kind) => sum + objects[kind].length, 0);

function bpftool(...args: string[]): string {
  return execFileSync('bpftool', args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    maxBuffer: 1 << 26,
  });
}

export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** What stands at these offsets of the executable, in the memory of a process that runs it: hex, one each. */
export function textOf(
  pid: number,
  file: string,
  points: readonly { readonly offset: number; readonly bytes: string }[],
): string[] {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  const code = maps
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) r-xp ([0-9a-f]+) \S+ \d+\s+(.*)$/.exec(line))
    .find((match) => match?.[4] === file);
  if (!code) throw new Error(`process ${pid} maps no code of ${file}`);
  const [start = 0, , mappedOffset = 0] = code.slice(1, 4).map((hex) => Number.parseInt(hex, 16));
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return points.map(({ offset, bytes }) => {
      const found = Buffer.alloc(bytes.length / 2);
      readSync(memory, found, 0, found.length, start + offset - mappedOffset);
      return found.toString('hex');
    });
  } finally {
    closeSync(memory);
  }
}
