/** `robotgc watch`: follows one process until it ends, the time is over, or the user has seen enough. */
import { Recorder } from '../../agent/evidence/index.ts';
import { isNoWriter, writerOf } from '../../agent/live/writer.ts';
import { hostSampler, isSlow, localPopulation, localTarget, type TargetState } from '../../agent/sampler/index.ts';
import type { RobotGCPolicy } from '../../api/index.ts';
import type { Signer } from '../../bundle/index.ts';
import { LEAK_EVERY_WINDOWS, slowLeakOf } from '../../diagnosis/index.ts';
import {
  advance,
  type Breach,
  DEFAULT_NETWORK_LIMITS,
  deriveThresholds,
  followGoMemLimit,
  type HeapTrend,
  type Latch,
  liveHeapTrend,
  type SeenGoMemLimit,
  type SignalWindow,
  staleSentence,
  WindowRing,
} from '../../model/index.ts';
import { type ExitCode, exitCodes } from '../exit.ts';
import { Acting } from './heal/acting.ts';
import { captureBreach } from './heal/capture.ts';
import type { Printer } from './printer.ts';
import type { NamedProcess } from './process.ts';
import { rhythmText } from './text.ts';

export interface WatchRequest {
  readonly process: NamedProcess;
  readonly policy: RobotGCPolicy | null;
  readonly printer: Printer;
  /** Tells reads that waited for data too; they are watched only then. */
  readonly reads: boolean;
  /** Where evidence of a breach goes, and who signs it. */
  readonly evidence: { readonly directory: string; readonly sign?: Signer };
  /** One sentence for people. */
  readonly say: (sentence: string) => void;
  /** Ends the watch; what was seen until then is still printed. */
  readonly signal: AbortSignal;
}

/** Five minutes: long enough to tell a slope from the noise of cycles. It takes some milliseconds to compute, so not each second. */
const trendWindows = 300;
const trendEvery = 10;
/** Without a policy: as a policy has it that says nothing of it. */
const defaultGoMemLimit = '90%';

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
  const recorder = new Recorder();
  const recent = recorder.windows;
  let trend: HeapTrend | null = null;
  let seen: SeenGoMemLimit | undefined;
  let leaks = false;
  const tellLeak = ({ cgroup }: SignalWindow): void => {
    const leak = slowLeakOf(recorder.heap.points(), cgroup?.memoryLimitBytes ?? null);
    if (leak && !leaks) {
      printer.slowLeak(leak);
      say(leak.sentence);
    }
    leaks = leak !== undefined;
  };
  const onWindow = (window: SignalWindow): void => {
    recorder.window(window);
    if (window.seq < trendEvery || window.seq % trendEvery === 0) {
      trend = liveHeapTrend(recent.latest(trendWindows));
    }
    printer.window(window, trend);
    const told = seen?.finding;
    seen = followGoMemLimit(seen, window, policy?.spec.tuning.memoryLimit.goMemLimit ?? defaultGoMemLimit);
    if (seen?.finding && !told) {
      printer.staleGoMemLimit(seen.finding);
      say(staleSentence(seen.finding));
    }
    if (window.seq % LEAK_EVERY_WINDOWS === 0) tellLeak(window);
    const now = new Date();
    const breach = judge?.(window, now);
    if (breach) {
      printer.breach(breach, window, now);
      if (exitCode === exitCodes.ok) exitCode = exitCodes.finding;
      acting?.breach(breach);
    }
    acting?.window();
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
      pause: (_, pause) => {
        recorder.pause(pause);
        printer.pause(pause);
      },
      cycle: (_, cycle) => {
        recorder.cycle(cycle);
        printer.cycle(cycle);
      },
      assist: (_, assist) => {
        recorder.assist(assist);
        printer.assist(assist);
      },
      wait: (_, wait) => {
        recorder.wait(wait);
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
  const stop = AbortSignal.any([request.signal, done.signal]);
  const acting =
    policy && policy.spec.actions.mode !== 'Observe'
      ? new Acting({
          process,
          policy,
          windows: recent,
          heap: recorder.heap,
          printer,
          say,
          capture: (signal) => captureBreach(request, policy, { sampler, key: target.key, recorder, signal }),
          openWriter: () => {
            if (policy.spec.actions.liveBy === 'Program')
              return 'the policy says liveBy: Program, and a watch has no file that a program follows';
            const opened = writerOf(process.proc, process);
            return isNoWriter(opened) ? opened.message : opened;
          },
          signal: stop,
        })
      : null;
  sampler.setTargets([target]);
  await Promise.all([sampler.run(stop), untilAborted(stop).then(() => acting?.end())]);
  return exitCode;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
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
