/** A machine for the tests of one suite: booted before them, gone after them, also when booting took too long. */
import { afterAll, beforeAll } from 'vitest';
import { type BootOptions, bootMachine, type Machine } from './machine.ts';

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
