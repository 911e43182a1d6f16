import type { ProfileKind } from './types.ts';

/** What the bytes of a profile must be. */
export type Format = 'pprof' | 'goroutine-text' | 'trace';

export interface ProfilePlan {
  readonly kind: ProfileKind;
  /** Path inside the bundle. */
  readonly name: string;
  readonly format: Format;
  /** Over the window (asked at its start, answered at its end), or the state at its start. */
  readonly spans: 'window' | 'moment';
  /** Path and query below the prefix. */
  readonly path: (seconds: number) => string;
}

/**
 * How each profile is asked for. CPU and trace run over the same seconds, which puts the CPU samples, with time stamps, into the trace.
 * Mutex and block counters are cumulative since the process began: with `seconds` the handler returns what the window added.
 * Source: net/http/pprof and runtime/pprof of Go 1.22 to 1.26.
 */
export const profilePlans: Readonly<Record<ProfileKind, ProfilePlan>> = {
  cpu: {
    kind: 'cpu',
    name: 'profiles/cpu.pprof',
    format: 'pprof',
    spans: 'window',
    path: (s) => `/profile?seconds=${s}`,
  },
  trace: {
    kind: 'trace',
    name: 'profiles/trace.out',
    format: 'trace',
    spans: 'window',
    path: (s) => `/trace?seconds=${s}`,
  },
  mutex: {
    kind: 'mutex',
    name: 'profiles/mutex.pprof',
    format: 'pprof',
    spans: 'window',
    path: (s) => `/mutex?seconds=${s}`,
  },
  block: {
    kind: 'block',
    name: 'profiles/block.pprof',
    format: 'pprof',
    spans: 'window',
    path: (s) => `/block?seconds=${s}`,
  },
  heap: { kind: 'heap', name: 'profiles/heap.pprof', format: 'pprof', spans: 'moment', path: () => '/heap' },
  allocs: { kind: 'allocs', name: 'profiles/allocs.pprof', format: 'pprof', spans: 'moment', path: () => '/allocs' },
  goroutine: {
    kind: 'goroutine',
    name: 'profiles/goroutine.txt',
    format: 'goroutine-text',
    spans: 'moment',
    path: () => '/goroutine?debug=2',
  },
};

/** Stands in for the dump where there are too many goroutines: the same name, counted by stack instead of one by one. */
export const groupedGoroutines: ProfilePlan = { ...profilePlans.goroutine, path: () => '/goroutine?debug=1' };

/** Go's handlers take whole seconds. */
export function wholeSeconds(durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / 1000));
}
