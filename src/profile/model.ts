/** A pprof profile, resolved: no ids, no string table. */
export interface Profile {
  /** For a CPU profile `samples/count, cpu/nanoseconds`; for a heap profile `alloc_objects`, `alloc_space`, `inuse_objects`, `inuse_space`. */
  readonly sampleTypes: readonly { readonly type: string; readonly unit: string }[];
  readonly samples: readonly Sample[];
  /** Unix time of the profile and its length; 0 when the profile does not say. */
  readonly timeNs: number;
  readonly durationNs: number;
  readonly period: number;
}

export interface Sample {
  /** One per sample type. Beyond 2^53 rounded. Delta profiles may hold negative ones. */
  readonly values: readonly number[];
  /** Innermost first; inlined calls are frames of their own. */
  readonly stack: readonly Frame[];
}

export interface Frame {
  /** With its package, as Go prints it: `runtime.mallocgc`, `main.(*Session).handle`. Empty when unknown. */
  readonly function: string;
  readonly file: string;
  readonly line: number;
}

export class ProfileError extends Error {
  readonly code: 'malformed' | 'inconsistent' | 'no-such-type';
  constructor(code: ProfileError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ProfileError';
    this.code = code;
  }
}
