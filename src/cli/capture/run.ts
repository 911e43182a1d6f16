/** `robotgc capture --pid`: signals and profiles of the same seconds, as one bundle. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { bundleEntries, type CaptureReport, processFacts, Recorder, toolVersions } from '../../agent/evidence/index.ts';
import { hostSampler, localPopulation, localTarget } from '../../agent/sampler/index.ts';
import { sleep } from '../../agent/sleep.ts';
import { type Signer, type WrittenBundle, writeBundle } from '../../bundle/index.ts';
import { CaptureError, type CaptureResult, captureProcess, type ProfileKind } from '../../capture/index.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { NamedProcess } from '../watch/process.ts';
import type { PprofAddress } from './pprof-address.ts';

export interface CaptureCommand {
  readonly process: NamedProcess;
  readonly address: PprofAddress;
  readonly profiles: readonly ProfileKind[];
  readonly durationMs: number;
  readonly file: string;
  readonly sign?: Signer;
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export interface CaptureOutcome extends WrittenBundle {
  readonly windows: number;
  readonly report: CaptureReport;
}

export async function captureBundle(command: CaptureCommand): Promise<CaptureOutcome> {
  const { process: named, say, signal } = command;
  const target = localTarget(named.pid, named.comm);
  const recorder = new Recorder();
  const settled = Promise.withResolvers<void>();
  const over = new AbortController();
  let refusal: string | null = null;
  const sampler = hostSampler({
    populate: () => new Map([[target.key, localPopulation(named.proc, named.pid, named.startTicks)]]),
    sink: {
      window: (_, window) => recorder.window(window),
      cycle: (_, cycle) => recorder.cycle(cycle),
      assist: (_, assist) => recorder.assist(assist),
      wait: (_, wait) => recorder.wait(wait),
      pause: (_, pause) => recorder.pause(pause),
      state: (_, state) => {
        refusal = state.state === 'Refused' ? state.message : null;
        settled.resolve();
      },
    },
  });
  sampler.setTargets([target]);
  const sampling = sampler.run(AbortSignal.any([signal, over.signal]));
  // Profiles begin when the probe is in place, so that both speak of the same seconds.
  await Promise.race([settled.promise, sampling]);
  if (refusal !== null) say(`no signals: ${refusal}`);

  const startedAt = new Date().toISOString();
  const captureOver = sampler.captureBegins(target.key);
  const [profiles] = await Promise.all([fetchProfiles(command), sleep(command.durationMs, signal).catch(() => {})]);
  captureOver();
  const inspection = sampler.inspect(target.key);
  over.abort();
  await sampling;
  signal.throwIfAborted();

  const windows = recorder.windows.size;
  if (windows === 0 && 'failure' in profiles) {
    throw new CliError(
      exitCodes.environment,
      `nothing could be captured from process ${named.pid}: ${profiles.failure.message}`,
    );
  }
  if ('failure' in profiles) say(`no profiles: ${profiles.failure.message}`);
  const report = reportOf(profiles, startedAt);
  const entries = bundleEntries({
    recorder,
    inspection,
    processes: processFacts(named.proc, [named.pid]),
    profiles: 'files' in profiles ? profiles.files : [],
    report,
  });
  const incident = { namespace: 'local', name: `${named.comm}-${named.pid}`, uid: randomUUID() };
  const tools = toolVersions(inspection?.programs[0]?.plan.goVersion);
  const input = { incident, policy: null, createdAt: new Date().toISOString(), node: hostname(), tools };
  const written = await writeBundle(entries, input, {
    file: command.file,
    ...(command.sign ? { sign: command.sign } : {}),
  });
  return { ...written, windows, report };
}

type Profiles = CaptureResult | { readonly failure: CaptureError };

async function fetchProfiles(command: CaptureCommand): Promise<Profiles> {
  const { process: named, address, profiles, durationMs, signal } = command;
  try {
    return await captureProcess({ pid: named.pid, address, prefix: address.prefix, profiles, durationMs, signal });
  } catch (error) {
    if (error instanceof CaptureError) return { failure: error };
    throw error;
  }
}

function reportOf(profiles: Profiles, startedAt: string): CaptureReport {
  if ('failure' in profiles) {
    const { code, message } = profiles.failure;
    return { startedAt, endedAt: new Date().toISOString(), failures: [{ kind: 'pprof', code, message }] };
  }
  const { way, where, endedAt, failures } = profiles;
  return { startedAt: profiles.startedAt, endedAt, via: way, where, failures };
}
