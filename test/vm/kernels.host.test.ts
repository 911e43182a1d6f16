/** The agent's senses on other kernels than this machine's: `robotgc watch` against the program's own runtime and the kernel's own files. */
import { afterAll, beforeAll, describe } from 'vitest';
import { missingGround } from '../../src/host/probe/testing/ground.ts';
import { exactnessTests } from './exactness-suite.ts';
import { whyNoVm } from './ground.ts';
import { limitsTests } from './limits-suite.ts';
import { bootMachine, type Machine } from './machine.ts';
import { buildPrograms, type Programs } from './testing.ts';

const noProbe = missingGround();
const noVm = whyNoVm();
const because = noVm === undefined ? '' : ` (skipped: a virtual machine ${noVm})`;

describe.skipIf(noProbe !== '')(`this machine's own kernel${noProbe}`, () => {
  let programs: Programs;
  beforeAll(() => {
    programs = buildPrograms();
  });
  afterAll(() => programs?.[Symbol.dispose]());
  exactnessTests(
    () => programs,
    () => undefined,
    /^(uprobe_multi|perf)$/,
  );
});

describe.skipIf(noVm !== undefined || noProbe !== '').each([
  // uprobe_multi came with Linux 6.6.
  { kernel: '6.1', attach: /^perf$/ },
  { kernel: '6.12', attach: /^uprobe_multi$/ },
] as const)(`kernel $kernel in a virtual machine${because}`, ({ kernel, attach }) => {
  let programs: Programs;
  let machine: Machine;
  beforeAll(async () => {
    programs = buildPrograms();
    machine = await bootMachine({ kernel });
  });
  afterAll(async () => {
    await machine?.stop();
    programs?.[Symbol.dispose]();
  });
  exactnessTests(
    () => programs,
    () => machine,
    attach,
  );
  describe('a cgroup at its limits', () => {
    limitsTests(
      () => programs,
      () => machine,
    );
  });
});
