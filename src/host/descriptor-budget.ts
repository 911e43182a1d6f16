/** How many descriptors may be kept open, so that sockets, profiles and bundles never lack one. */
import { textOf } from './text-file.ts';

export class DescriptorBudget {
  readonly max: number;
  #taken = 0;

  constructor(max: number) {
    this.max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False when none is left: then open, read and close. */
  take(): boolean {
    if (this.#taken >= this.max) return false;
    this.#taken += 1;
    return true;
  }

  giveBack(): void {
    this.#taken = Math.max(0, this.#taken - 1);
  }
}

/** 250 containers need about 4,000. */
const wanted = 8192;

/**
 * Half of what the process may open, at most 8,192; 512 where /proc does not tell. Node raises the soft limit to the hard one at start.
 * @param limits text of `/proc/self/limits`
 */
export function keptDescriptors(limits: string | undefined): number {
  const soft = /^Max open files\s+(\d{1,15}|unlimited)\s/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return 512;
  return soft === 'unlimited' ? wanted : Math.min(wanted, Math.floor(Number(soft) / 2));
}

/** Shared by everything in this process that keeps kernel files open. */
export const keptFileBudget = new DescriptorBudget(keptDescriptors(textOf('/proc/self/limits')));
