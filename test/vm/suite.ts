/** A machine for the tests of one suite: booted before them, gone after them, also when booting took too long. */
import { afterAll, beforeAll } from 'vitest';
import { VmError } from './errors.ts';
import { type BootOptions, bootMachine, type Machine } from './machine.ts';

/** An emulated processor on which the product's own time limits (15 s until a watch is answered) cannot hold. */
export class TooSlow extends Error {}

/** The machine, from the first test on; another one where the last has ended by itself, as an emulated kernel at times does. */
export type SuiteMachine = () => Promise<Machine>;

export function suiteMachine(options: Omit<BootOptions, 'signal'>): SuiteMachine {
  const over = new AbortController();
  let booting: Promise<Machine> | undefined;
  const boot = (): Promise<Machine> => {
    booting = bootMachine({ ...options, signal: over.signal });
    return booting;
  };
  const ended = async (): Promise<void> => (await booting?.catch(() => undefined))?.stop();
  beforeAll(async () => {
    await boot();
  });
  afterAll(async () => {
    over.abort(); // a hook that was given up does not end what it began
    await ended();
  });
  return async () => {
    if (booting === undefined) throw new Error(`the machine with kernel ${options.kernel} has not been booted`);
    const machine = await booting;
    if (machine.isRunning) return machine;
    await ended();
    return boot();
  };
}

/**
 * In another machine where the first ended meanwhile, as an emulated kernel may: with a thread for each processor one that patches its own code,
 * as it does for tracepoints, was caught by the emulator on another, and panicked.
 */
export async function onceMore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VmError && error.code === 'ENDED')) throw error;
    console.warn(`${error.message}; once more in another one`);
    return work();
  }
}
