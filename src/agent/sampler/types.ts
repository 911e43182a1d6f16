/** What the sampler is told to follow, and what it says of it. */
import type { AttachPlan } from '../../gobin/index.ts';
import type { CgroupMembership, CgroupSample, Executable } from '../../host/index.ts';
import type { AssistEvent, CycleEvent, PauseEvent, WaitEvent } from '../../host/probe/index.ts';
import type { CyclePhases } from '../../model/cycle-phases.ts';
import type { PressureLimits, PressureOnset } from '../../model/pressure-onset.ts';
import type { Rhythm } from '../../model/rhythm/index.ts';
import type { SignalWindow } from '../../model/window.ts';
import type { WindowSubject } from './window-builder.ts';

/** Robots that a target serves, or why their number is not known: `reason` is a stable code, `message` a sentence for people. */
export type Activity =
  | { readonly kind: 'count'; readonly robots: number }
  | { readonly kind: 'unknown'; readonly reason: string; readonly message: string };

/** Where the number of active robots comes from. */
export type ActivitySource =
  | {
      readonly kind: 'metric';
      readonly url: string;
      readonly name: string;
      /** Only samples that carry all of these count. */
      readonly labels?: Readonly<Record<string, string>> | undefined;
    }
  /** Established connections to a local port, in the network namespace of the target's processes. */
  | { readonly kind: 'connections'; readonly port: number }
  /** Known (or known to be missing) without asking: a pod's annotation. */
  | { readonly kind: 'given'; readonly activity: Activity };

/** Processes of a target at this moment, and the cgroups that hold them. */
export interface Population {
  /** Ascending. */
  readonly pids: readonly number[];
  /** Null: no cgroup facts are wanted or known. */
  readonly cgroups: readonly CgroupMembership[] | null;
}

/** One container (or one local process) to follow. */
export interface Target extends WindowSubject {
  /** Unique among targets: the container's id, which a restart changes. */
  readonly key: string;
  readonly activity: ActivitySource | null;
  /** Memory pressure above which `SamplerSink.pressure` is told between two ticks. Default: it is not watched there. */
  readonly pressureLimits?: PressureLimits;
}

/** Signals that are not observed, by their names in windows, and why: `reason` is a stable code, `message` a sentence for people. */
export interface MissingSignals {
  readonly signals: readonly string[];
  readonly reason: string;
  readonly message: string;
}

/** How it stands with a target. `reason` is a stable code, `message` a sentence for people. */
export type TargetState =
  | {
      readonly state: 'Watching';
      readonly goVersion: string;
      readonly pids: readonly number[];
      /** Absent when every signal is observed. */
      readonly missing?: readonly MissingSignals[];
    }
  | { readonly state: 'Refused'; readonly reason: string; readonly message: string }
  | { readonly state: 'Waiting'; readonly reason: string; readonly message: string };

/** A watched process and its program. */
export interface WatchedProgram {
  readonly pid: number;
  readonly executable: Executable;
  readonly plan: AttachPlan;
}

/** A look at a target between two windows. */
export interface Inspection {
  readonly programs: readonly WatchedProgram[];
  readonly cgroup: CgroupSample | null;
  /** How it allocates, as far as it is known; null until it was looked at. */
  readonly rhythm: Rhythm | null;
}

/** A finished cycle, its phases, and what triggered it. */
export type SeenCycle = CycleEvent & CyclePhases;

/** A stop of the world, and what caused it: the collector, a capture of ours, or something else. */
export interface SeenPause extends PauseEvent {
  readonly chargedTo: 'gc' | 'capture' | 'other';
}

/** Receives what the sampler sees; called synchronously between two ticks, so it must be quick. */
export interface SamplerSink {
  window(target: Target, window: SignalWindow): void;
  /** Only when it changed. */
  state?(target: Target, state: TargetState): void;
  /** Only when the reason why the number of robots is unknown has changed, or that it is known. For targets that are watched. */
  activity?(target: Target, activity: Activity): void;
  pause?(target: Target, pause: SeenPause): void;
  /** With its phases; as soon as its last pause is known. */
  cycle?(target: Target, cycle: SeenCycle): void;
  /** A goroutine that was held up by an assist for 1 ms or longer. */
  assist?(target: Target, assist: AssistEvent): void;
  wait?(target: Target, wait: WaitEvent): void;
  /** How the target allocates: when that is known for the first time, and when it has changed. Where this is not asked for, nobody looks. */
  rhythm?(target: Target, rhythm: Rhythm): void;
  /** Memory pressure begins to break a limit: known within 250 ms, before the window that will show it has ended. */
  pressure?(target: Target, onset: PressureOnset): void;
}
