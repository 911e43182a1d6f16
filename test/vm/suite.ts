/** A machine for the tests of one suite: booted before them, gone after them, also when booting took too long. */
import { afterAll, beforeAll } from 'vitest';
import { type BootOptions, bootMachine, type Machine } from './machine.ts';

/** @returns the machine, from the first test on */
export function suiteMachine(options: Omit<BootOptions, 'signal'>): () => Machine {
  const over = new AbortController();
  let booting: Promise<Machine> | undefined;
  let machine: Machine | undefined;
  beforeAll(async () => {
    booting = bootMachine({ ...options, signal: over.signal });
    machine = await booting;
  });
  afterAll(async () => {
    over.abort(); // a hook that was given up does not end what it began
    await (await booting?.catch(() => undefined))?.stop();
  });
  return () => {
    if (machine === undefined) throw new Error(`the machine with kernel ${options.kernel} has not been booted`);
    return machine;
  };
}
