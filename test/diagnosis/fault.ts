/** What a fault of the labelled set is made of. */
import type { Cause } from '../../src/diagnosis/index.ts';
import type { Control } from '../bench/robot.ts';
import type { Limits } from './ground.ts';

/** Causes that are made here with a real robot, and robots that nothing is wrong with. */
export const LABELS = [
  'Calm',
  'NotGc',
  'GogcTooLow',
  'AllocationBound',
  'MemoryLimitTooTight',
  'Leak',
  'GoroutineLeak',
  'CpuThrottling',
  'NodePressure',
  'MemoryMapping',
  'PageFaults',
  'SlowStopping',
] as const satisfies readonly (Cause | 'Calm')[];
export type Label = (typeof LABELS)[number];

/** What a diagnosis should say first. Of a robot that nothing is wrong with: that it is not the collector. */
export function causeOf(label: Label): Cause {
  return label === 'Calm' ? 'NotGc' : label;
}

/** Something that runs beside the robot; see testdata/companion. */
export type Companion =
  | { readonly does: 'spin' }
  | { readonly does: 'churn' | 'faults'; readonly fileMib: number }
  | { readonly does: 'map'; readonly mib: number; readonly pause: string }
  | { readonly does: 'grow'; readonly mib: number }
  | { readonly does: 'dial' | 'shake'; readonly pause: string };

export interface Beside {
  readonly companion: Companion;
  /** In the robot's own container, or in another on the same node. */
  readonly where: 'container' | 'node';
  readonly limits?: Limits;
}

export interface Fault {
  readonly label: Label;
  readonly name: string;
  readonly noise: string | null;
  readonly robot: { readonly gogc: number; readonly args: readonly string[]; readonly goMemLimit?: string };
  readonly container?: Limits;
  /** Of all containers of the node together. */
  readonly node?: Limits;
  readonly beside?: readonly Beside[];
  /** Done to the robot one after the other, over and over, from a few seconds after it is watched. */
  readonly recurring?: { readonly everyMs: number; readonly changes: readonly Control[] };
  /** Done to it once, at that time. */
  readonly once?: Control;
  /** Of the policy, beside the usual. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** How long it is watched; default `watchedSeconds`. */
  readonly seconds?: number;
}

export const watchedSeconds = 16;
