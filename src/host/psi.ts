import type { PressureTotals } from '../model/pressure-onset.ts';
import { readTextFile } from './text-file.ts';
import type { Pressure, PressureLine } from './types.ts';

const figures = String.raw`avg10=(\d{1,9}(?:\.\d{1,9})?) avg60=(\d{1,9}(?:\.\d{1,9})?) avg300=(\d{1,9}(?:\.\d{1,9})?) total=(\d{1,20})`;
// Both lines in one match: a third of the time of a match per line.
const pattern = new RegExp(`^some ${figures}(?:\\n|$)(?:full ${figures}(?:\\n|$))?`);
/** Pressure stall information (Documentation/accounting/psi.rst): shares from percent, total from µs. Undefined when it is not PSI. */
export function parsePressure(text: string): Pressure | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const full = match[5] === undefined ? null : pressureLine(match[5], match[6], match[7], match[8]);
  return { some: pressureLine(match[1], match[2], match[3], match[4]), full };
}

function pressureLine(avg10?: string, avg60?: string, avg300?: string, totalUs?: string): PressureLine {
  return {
    avg10: Number(avg10) / 100,
    avg60: Number(avg60) / 100,
    avg300: Number(avg300) / 100,
    totalNs: Number(totalUs) * 1000,
  };
}

/** Reads a pressure file. Undefined when the kernel has none there (no PSI, `psi=0`, cgroup gone). */
export function readPressure(path: string): Pressure | undefined {
  const read = readTextFile(path);
  return read.ok ? parsePressure(read.text) : undefined;
}

export function pressureTotals(atNs: number, { some, full }: Pressure): PressureTotals {
  return { atNs, someNs: some.totalNs, fullNs: full?.totalNs ?? null };
}
