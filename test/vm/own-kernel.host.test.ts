/** The same check as in the virtual machines, on this machine's own kernel. */
import { afterAll, beforeAll, describe } from 'vitest';
import { missingGround } from '../../src/host/probe/testing/ground.ts';
import { exactnessTests } from './exactness-suite.ts';
import { buildPrograms, type Programs } from './testing.ts';

const noProbe = missingGround();

describe.skipIf(noProbe !== '')(`this machine's own kernel${noProbe}`, () => {
  let programs: Programs;
  beforeAll(() => {
    programs = buildPrograms();
  });
  afterAll(() => programs?.[Symbol.dispose]());
  exactnessTests(() => programs, undefined, /^(uprobe_multi|perf)$/);
});
