import type { WeightedNs } from '../../../src/model/index.ts';

/** What happened since it was asked last; CPU seconds are those of cycles that ended. */
export interface Account {
  cycles: number;
  limitDrivenCycles: number;
  gcSeconds: number;
  assistSeconds: number;
  idleSeconds: number;
  allocatedBytes: number;
  limiterWasOn: boolean;
  /** Longest time that an event waited for a processor. */
  delaySeconds: number;
  readonly pauses: WeightedNs[];
  readonly assists: WeightedNs[];
}

export function emptyAccount(): Account {
  return {
    cycles: 0,
    limitDrivenCycles: 0,
    gcSeconds: 0,
    assistSeconds: 0,
    idleSeconds: 0,
    allocatedBytes: 0,
    limiterWasOn: false,
    delaySeconds: 0,
    pauses: [],
    assists: [],
  };
}
