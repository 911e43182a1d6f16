/** The agent's senses on Linux 6.1 (Debian 12), which has no uprobe_multi: the probe attaches by perf events. */
import { afterAll, beforeAll, describe } from 'vitest';
import { directReclaimTests } from './direct-reclaim-suite.ts';
import { exactnessTests } from './exactness-suite.ts';
import { whyNoMachine } from './ground.ts';
import { killedTests } from './killed-suite.ts';
import { suiteMachine } from './suite.ts';
import { buildPrograms, type Programs } from './testing.ts';

const missing = whyNoMachine();

describe.skipIf(missing !== '')(`kernel 6.1 in a virtual machine${missing}`, () => {
  let programs: Programs;
  beforeAll(() => {
    programs = buildPrograms();
  });
  afterAll(() => programs?.[Symbol.dispose]());
  const machine = suiteMachine({ kernel: '6.1' });

  describe('collections', () => {
    exactnessTests(() => programs, machine, /^perf$/);
  });
  describe('a watcher that is killed', () => {
    killedTests(() => programs, machine);
  });
  describe('a machine without free memory', () => {
    directReclaimTests(() => programs, machine);
  });
});
