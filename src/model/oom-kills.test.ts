import { describe, expect, it } from 'vitest';
import { oomKills } from './oom-kills.ts';
import { calmCgroup, calmKernelMemory } from './testing.ts';

const counted = (kills: number) => ({ ...calmCgroup, oomKills: kills });
const saw = (victims: number) => ({ ...calmKernelMemory, oomVictims: { count: victims, whileMarking: 0 } });

describe('OOM kills of a window', () => {
  it.each([
    ['are those of the cgroup, whoever it was', { cgroup: counted(2), kernelMemory: saw(1) }, 2],
    ['are told by the probe where the cgroup went with the last process', { cgroup: null, kernelMemory: saw(1) }, 1],
    ['are told by the cgroup where there is no probe', { cgroup: counted(1) }, 1],
    ['are not known where nobody looked', { cgroup: null }, undefined],
  ])('%s', (_, window, kills) => {
    expect(oomKills(window)).toBe(kills);
  });
});
