/** `robotgc watch`: follows one process until it ends, the time is over, or the user has seen enough. */
import { hostSampler, isSlow, localPopulation, localTarget, type TargetState } from '../../agent/sampler/index.ts';
import type { RobotGCPolicy } from '../../api/index.ts';
import {
  advance,
  type Breach,
  DEFAULT_NETWORK_LIMITS,
  deriveThresholds,
  type HeapTrend,
  type Latch,
  liveHeapTrend,
  type SignalWindow,
  WindowRing,
} from '../../model/index.ts';
import { type ExitCode, exitCodes } from '../exit.ts';
import type { Printer } from './printer.ts';
import type { NamedProcess } from './process.ts';
import { rhythmText } from './text.ts';

export interface WatchRequest {
  readonly process: NamedProcess;
  readonly policy: RobotGCPolicy | null;
  readonly printer: Printer;
  /** Tells reads that waited for data too; they are watched only then. */
  readonly reads: boolean;
  /** One sentence for people. */
  readonly say: (sentence: string) => void;
  /** Ends the watch; what was seen until then is still printed. */
  readonly signal: AbortSignal;
}

/** Five minutes: long enough to tell a slope from the noise of cycles. It takes some milliseconds to compute, so not each second. */
const trendWindows = 300;
const trendEvery = 10;

export async function watch(request: WatchRequest): Promise<ExitCode> {
  const { process, policy, printer, say } = request;
  const done = new AbortController();
  const target = {
    ...localTarget(process.pid, process.comm, policy?.spec.activity),
    ...(policy ? { pressureLimits: deriveThresholds(policy.spec) } : {}),
  };
  const network = policy ? deriveThresholds(policy.spec).network : DEFAULT_NETWORK_LIMITS;
  const judge = policy ? breachJudge(policy) : null;
  let exitCode: ExitCode = exitCodes.ok;
  let watched = false;

  const onState = (state: TargetState): void => {
    if (state.state === 'Watching') {
      say(`watching ${process.comm} (process ${process.pid}, ${state.goVersion})`);
      watched = true;
      printer.watching(state);
      for (const { signals, message } of state.missing ?? []) say(`not observed: ${signals.join(', ')}: ${message}`);
    } else if (state.state === 'Refused') {
      printer.refused(process.pid, state);
      say(`process ${process.pid} (${process.comm}) cannot be watched: ${state.message}`);
      exitCode = exitCodes.environment;
      done.abort();
    } else if (state.reason === 'NoProcess') {
      say(`process ${process.pid} (${process.comm}) has ended`);
      done.abort();
    } else {
      say(state.message);
    }
  };
  const recent = new WindowRing();
  let trend: HeapTrend | null = null;
  const onWindow = (window: SignalWindow): void => {
    recent.push(window);
    if (window.seq < trendEvery || window.seq % trendEvery === 0) {
      trend = liveHeapTrend(recent.latest(trendWindows));
    }
    printer.window(window, trend);
    const now = new Date();
    const breach = judge?.(window, now);
    if (!breach) return;
    printer.breach(breach, window, now);
    if (exitCode === exitCodes.ok) exitCode = exitCodes.finding;
  };

  const sampler = hostSampler({
    alwaysReads: request.reads,
    populate: () => new Map([[target.key, localPopulation(process.proc, process.pid, process.startTicks)]]),
    sink: {
      window: (_, window) => onWindow(window),
      state: (_, state) => onState(state),
      activity: (_, activity) => {
        if (activity.kind === 'unknown') say(`active robots are not known: ${activity.message}`);
      },
      pause: (_, pause) => printer.pause(pause),
      cycle: (_, cycle) => printer.cycle(cycle),
      assist: (_, assist) => printer.assist(assist),
      wait: (_, wait) => {
        if (isSlow(wait, network) || wait.on === 'read') printer.wait(wait);
      },
      rhythm: (_, rhythm) => {
        printer.rhythm(rhythm);
        say(rhythmText(rhythm));
      },
      pressure: (_, onset) => printer.pressure(onset, new Date()),
    },
    onProbeUp: () => {
      if (watched) say('robotgc-probe was started again');
    },
    onProbeDown: (error, retryInMs) => {
      if (watched) say(`${error.message}; next attempt in ${(retryInMs / 1000).toFixed(2)} s`);
    },
  });
  sampler.setTargets([target]);
  await sampler.run(AbortSignal.any([request.signal, done.signal]));
  return exitCode;
}

/** One judgement a window: a breach only when it begins. */
function breachJudge(policy: RobotGCPolicy): (window: SignalWindow, now: Date) => Breach | null {
  const thresholds = deriveThresholds(policy.spec);
  const ring = new WindowRing();
  let latch: Latch = {};
  return (window, now) => {
    ring.push(window);
    const step = advance(latch, ring.latest(thresholds.breach.of), thresholds, now);
    latch = step.latch;
    return step.evaluation.type === 'breach' ? step.evaluation : null;
  };
}
