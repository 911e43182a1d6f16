/** One line of `/proc/PID/maps` that maps a file (proc_pid_maps(5)). */
export interface Mapping {
  /** The range as the kernel writes it, `start-end` in hexadecimal: the name of the link in `/proc/PID/map_files`. */
  readonly range: string;
  readonly isExecutable: boolean;
  /** `major:minor` in hexadecimal, as the kernel writes it. */
  readonly device: string;
  readonly inode: number;
  /** As the process sees it; a newline in a name reads `\012`. */
  readonly path: string;
  /** The file was removed or replaced since it was mapped (a package was upgraded under a running process). */
  readonly isDeleted: boolean;
}

const line =
  /^([0-9a-f]{1,16}-[0-9a-f]{1,16}) ([r-][w-][x-][sp]) [0-9a-f]{1,16} ([0-9a-f]+:[0-9a-f]+) (\d{1,20})\s+(\/.*)$/;
const deleted = ' (deleted)';

/** One line; undefined when it maps no file (heap, stacks, anonymous memory) or is none. */
export function parseMapping(text: string): Mapping | undefined {
  const match = line.exec(text);
  if (match === null) return undefined;
  const [, range = '', permissions = '', device = '', inode = '', name = ''] = match;
  const isDeleted = name.endsWith(deleted);
  const number = Number(inode);
  if (!Number.isSafeInteger(number) || number === 0) return undefined;
  return {
    range,
    isExecutable: permissions[2] === 'x',
    device,
    inode: number,
    path: isDeleted ? name.slice(0, -deleted.length) : name,
    isDeleted,
  };
}

/** Whether a process runs code of more than one file: a dynamic linker at least, so that it may load libraries later on. */
export function runsLibraries(maps: string): boolean {
  const files = new Set<string>();
  for (const text of maps.split('\n')) {
    const mapping = parseMapping(text);
    if (mapping?.isExecutable === true) files.add(`${mapping.device} ${mapping.inode}`);
    if (files.size > 1) return true;
  }
  return false;
}

/** `libssl.so`, `libssl.so.3`, `libssl.so.1.1`, in any directory. */
const libssl = /\/libssl\.so(?:\.\d+)*$/;

/** The executable mappings of OpenSSL's libssl, one for each file. */
export function libsslMappings(maps: string): Mapping[] {
  if (!maps.includes('libssl.so')) return [];
  const found = new Map<string, Mapping>();
  for (const text of maps.split('\n')) {
    if (!text.includes('libssl.so')) continue;
    const mapping = parseMapping(text);
    if (mapping === undefined || !mapping.isExecutable || !libssl.test(mapping.path)) continue;
    const key = `${mapping.device} ${mapping.inode}`;
    if (!found.has(key)) found.set(key, mapping);
  }
  return [...found.values()];
}
