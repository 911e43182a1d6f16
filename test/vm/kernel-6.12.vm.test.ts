/** The agent's senses on Linux 6.12 (Debian 13) with pure cgroup v2: against the program's own runtime and the kernel's own files. */
import { afterAll, beforeAll, describe } from 'vitest';
import { directReclaimTests } from './direct-reclaim-suite.ts';
import { exactnessTests } from './exactness-suite.ts';
import { whyNoMachine } from './ground.ts';
import { hostTests } from './host-tests-suite.ts';
import { killedTests } from './killed-suite.ts';
import { limitsTests } from './limits-suite.ts';
import { suiteMachine } from './suite.ts';
import { buildPrograms, type Programs } from './testing.ts';

const missing = whyNoMachine();

describe.skipIf(missing !== '')(`kernel 6.12 in a virtual machine${missing}`, () => {
  let programs: Programs;
  beforeAll(() => {
    programs = buildPrograms();
  });
  afterAll(() => programs?.[Symbol.dispose]());
  const machine = suiteMachine({ kernel: '6.12' });

  describe('collections', () => {
    exactnessTests(() => programs, machine, /^uprobe_multi$/);
  });
  describe('a watcher that is killed', () => {
    killedTests(() => programs, machine);
  });
  describe('readings of a cgroup', () => {
    hostTests(machine, ['src/host/cgroup/cgroup.host.test.ts']);
  });
  describe('a cgroup at its limits', () => {
    limitsTests(() => programs, machine);
  });
  describe('a machine without free memory', () => {
    directReclaimTests(() => programs, machine);
  });
});
