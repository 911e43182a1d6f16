import { readTextFile } from './text-file.ts';
import type { Pressure, PressureLine } from './types.ts';

const linePattern = /^(some|full) avg10=(\d+(?:\.\d+)?) avg60=(\d+(?:\.\d+)?) avg300=(\d+(?:\.\d+)?) total=(\d+)$/;

/** Pressure stall information (Documentation/accounting/psi.rst): shares from percent, total from µs. Undefined when it is not PSI. */
export function parsePressure(text: string): Pressure | undefined {
  const lines = new Map<string, PressureLine>();
  for (const line of text.split('\n')) {
    const match = linePattern.exec(line);
    if (match === null) continue;
    const [, kind = '', avg10, avg60, avg300, totalUs] = match;
    lines.set(kind, {
      avg10: share(avg10),
      avg60: share(avg60),
      avg300: share(avg300),
      totalNs: Number(totalUs) * 1000,
    });
  }
  const some = lines.get('some');
  return some === undefined ? undefined : { some, full: lines.get('full') ?? null };
}

function share(percent: string | undefined): number {
  return Number(percent) / 100;
}

/** Reads a pressure file. Undefined when the kernel has none there (no PSI, `psi=0`, cgroup gone). */
export function readPressure(path: string): Pressure | undefined {
  const read = readTextFile(path);
  return read.ok ? parsePressure(read.text) : undefined;
}
