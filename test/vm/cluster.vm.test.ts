/** A container of a real pod at its limits, on a cluster with Linux 6.12 and pure cgroup v2: what `robotgc agent` says, against the kernel's own files. */
import { describe } from 'vitest';
import { whyNoMachine } from './ground.ts';
import { podLimitsTests } from './pod-limits-suite.ts';

const missing = whyNoMachine();

describe.skipIf(missing !== '')(`a cluster on kernel 6.12 in a virtual machine${missing}`, () => {
  podLimitsTests('6.12');
});
