/** Where a watch's findings go: NDJSON for programs, a table for people. */
import type { SeenCycle, SeenPause, TargetState } from '../../agent/sampler/index.ts';
import type { Diagnosis, Plan } from '../../api/index.ts';
import type { SlowLeak } from '../../diagnosis/index.ts';
import type { AssistEvent, WaitEvent } from '../../host/probe/index.ts';
import type {
  Breach,
  HeapTrend,
  PressureOnset,
  Rhythm,
  SignalWindow,
  StaleGoMemLimit,
  Thresholds,
} from '../../model/index.ts';
import {
  actionLine,
  assistLine,
  breachLine,
  cycleLine,
  diagnosisLine,
  onsetLine,
  pauseLine,
  pressureLine,
  type RolledBack,
  refusedLine,
  rhythmLine,
  rolledBackLine,
  slowLeakLine,
  staleGoMemLimitLine,
  type Tuning,
  tuningLine,
  type Verified,
  verifiedLine,
  waitLine,
  watchingLine,
  windowLine,
} from './objects.ts';
import {
  actionText,
  breachText,
  diagnosisText,
  header,
  onsetText,
  rolledBackText,
  row,
  type TextOptions,
  tuningText,
  verifiedText,
  waitText,
} from './text.ts';

export interface Printer {
  pause(pause: SeenPause): void;
  cycle(cycle: SeenCycle): void;
  /** An assist of 1 ms or longer. */
  assist(assist: AssistEvent): void;
  /** A wait that was slow. */
  wait(wait: WaitEvent): void;
  /** With the trend of the live heap over the last minutes; null before there is one. */
  window(window: SignalWindow, trend: HeapTrend | null): void;
  /** Memory pressure begins to break a limit: between two windows. */
  pressure(onset: PressureOnset, detectedAt: Date): void;
  /** How the process allocates, when that is known or has changed. */
  rhythm(rhythm: Rhythm): void;
  /** GOMEMLIMIT does not match the memory limit, and has not for a while. */
  staleGoMemLimit(stale: StaleGoMemLimit): void;
  /** The live heap grows over hours. */
  slowLeak(leak: SlowLeak): void;
  breach(breach: Breach, window: SignalWindow, detectedAt: Date): void;
  /** The likeliest cause of a breach, with the bundle that was captured for it. */
  diagnosis(diagnosis: Diagnosis, bundle: string | null): void;
  action(plan: Plan, applied: boolean): void;
  verified(verified: Verified): void;
  rolledBack(undone: RolledBack): void;
  /** What continuous tuning did, or why nothing is to be done. */
  tuning(tuning: Tuning, applied: boolean): void;
  /** The process is watched from here on; what is not observed of it, and why. */
  watching(state: Extract<TargetState, { state: 'Watching' }>): void;
  refused(pid: number, state: Extract<TargetState, { state: 'Refused' }>): void;
}

export function ndjsonPrinter(write: (line: string) => void, policy: string): Printer {
  const print = (object: object | undefined): void => {
    if (object) write(`${JSON.stringify(object)}\n`);
  };
  return {
    pause: (pause) => print(pauseLine(pause)),
    cycle: (cycle) => print(cycleLine(cycle)),
    assist: (assist) => print(assistLine(assist)),
    wait: (wait) => print(waitLine(wait)),
    window: (window, trend) => {
      print(windowLine(window, trend));
      print(pressureLine(window));
    },
    pressure: (onset, detectedAt) => print(onsetLine(onset, detectedAt)),
    rhythm: (rhythm) => print(rhythmLine(rhythm)),
    staleGoMemLimit: (stale) => print(staleGoMemLimitLine(stale)),
    slowLeak: (leak) => print(slowLeakLine(leak)),
    breach: (breach, window, detectedAt) => print(breachLine(breach, policy, window, detectedAt)),
    diagnosis: (diagnosis, bundle) => print(diagnosisLine(diagnosis, bundle)),
    action: (plan, applied) => print(actionLine(plan, applied)),
    verified: (verified) => print(verifiedLine(verified)),
    rolledBack: (undone) => print(rolledBackLine(undone)),
    tuning: (tuning, applied) => print(tuningLine(tuning, applied)),
    watching: (state) => print(watchingLine(state)),
    refused: (pid, state) => print(refusedLine(pid, state)),
  };
}

const rowsPerHeader = 20;

export function textPrinter(write: (line: string) => void, thresholds: Thresholds | null, colour: boolean): Printer {
  const options: TextOptions = { thresholds, colour };
  let rows = 0;
  return {
    pause: () => {},
    cycle: () => {},
    assist: () => {},
    wait: (wait) => write(`${waitText(wait, options)}\n`),
    window: (window) => {
      if (rows++ % rowsPerHeader === 0) write(`${header(options)}\n`);
      write(`${row(window, options)}\n`);
    },
    pressure: (onset) => write(`${onsetText(onset, options)}\n`),
    rhythm: () => {}, // the sentence on stderr says it
    staleGoMemLimit: () => {}, // the sentence on stderr says it
    slowLeak: () => {}, // as above
    breach: (breach) => write(`${breachText(breach, options)}\n`),
    diagnosis: (diagnosis, bundle) => write(`${diagnosisText(diagnosis, bundle)}\n`),
    action: (plan, applied) => write(`${actionText(plan, applied, options)}\n`),
    verified: (verified) => write(`${verifiedText(verified, options)}\n`),
    rolledBack: (undone) => write(`${rolledBackText(undone, options)}\n`),
    tuning: (tuning, applied) => write(`${tuningText(tuning, applied, options)}\n`),
    watching: () => {},
    refused: () => {}, // the sentence on stderr says it
  };
}
