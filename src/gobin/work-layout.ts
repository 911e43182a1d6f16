import type { Processor } from './types.ts';

/**
 * `runtime.work` (workType, runtime/mgc.go) from its counter of cycles on: when the phases of the last cycle began, and the CPU time of all
 * cycles so far, which is what `/cpu/classes/gc/*` shows. Offsets from DWARF of go1.22.12, 1.23.12, 1.24.13, 1.25.8 and 1.26.8 (with and
 * without GOEXPERIMENT=nogreenteagc); all fields are little-endian words of 64 bit, but for the first two of 32 bit.
 */
export const gcWorkFields = {
  cycles: 0,
  maxprocs: 8,
  tSweepTerm: 16,
  tMark: 24,
  tMarkTerm: 32,
  tEnd: 40,
  gcAssistTime: 80,
  gcDedicatedTime: 88,
  gcIdleTime: 96,
  gcPauseTime: 104,
  gcTotalTime: 112,
  totalTime: 160,
} as const;
export type GcWorkField = keyof typeof gcWorkFields;

/** Bytes from the counter of cycles to the end. */
export const gcWorkBytes = 168;

export interface GcWorkOffsets {
  /** Of `userForced` and of `cycles` in workType. */
  readonly userForced: number;
  readonly cycles: number;
}

/** By minor version. Between them and the beginning lie cache lines of padding, twice as long on arm64. */
const offsets: Readonly<Record<Processor, Readonly<Record<number, GcWorkOffsets>>>> = {
  amd64: {
    22: { userForced: 344, cycles: 400 },
    23: { userForced: 336, cycles: 424 },
    24: { userForced: 336, cycles: 424 },
    25: { userForced: 400, cycles: 512 },
    26: { userForced: 536, cycles: 648 },
  },
  arm64: {
    22: { userForced: 472, cycles: 528 },
    23: { userForced: 464, cycles: 552 },
    24: { userForced: 464, cycles: 552 },
    25: { userForced: 592, cycles: 704 },
    26: { userForced: 792, cycles: 904 },
  },
};

/** For Go 1.`minor`; undefined when this version has not been looked at. */
export function gcWorkOffsetsFor(processor: Processor, minor: number): GcWorkOffsets | undefined {
  return offsets[processor][minor];
}

/** Offsets in gcCPULimiterState (runtime/mgclimit.go), from the same DWARF. */
export interface GcLimiterLayout {
  /** One byte: on at this moment. */
  readonly enabled: number;
  /** 32 bit: the cycle in which it was last switched on, `/gc/limiter/last-enabled:gc-cycle`. */
  readonly lastEnabledCycle: number;
}

export function gcLimiterLayoutFor(minor: number): GcLimiterLayout | undefined {
  if (offsets.amd64[minor] === undefined) return undefined;
  return { enabled: 4, lastEnabledCycle: minor === 22 ? 72 : 64 };
}
