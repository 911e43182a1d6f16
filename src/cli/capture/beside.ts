/** A capture beside a sampler that runs: profiles of some seconds, and the bundle of both. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  bundleEntries,
  type CaptureReport,
  processFacts,
  type Recorder,
  toolVersions,
} from '../../agent/evidence/index.ts';
import type { Inspection, Sampler } from '../../agent/sampler/index.ts';
import { sleep } from '../../agent/sleep.ts';
import type { PolicySpec } from '../../api/index.ts';
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
  /** As it was evaluated; absent where no breach asked for the capture. */
  readonly policy?: PolicySpec;
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export interface CaptureOutcome extends WrittenBundle {
  readonly windows: number;
  readonly report: CaptureReport;
}

export interface Captured {
  readonly profiles: Profiles;
  readonly inspection: Inspection | null;
  readonly startedAt: string;
}

export async function captureBeside(
  sampler: Pick<Sampler, 'captureBegins' | 'inspect'>,
  key: string,
  command: CaptureCommand,
): Promise<Captured> {
  const { durationMs, signal } = command;
  const startedAt = new Date().toISOString();
  const captureOver = sampler.captureBegins(key);
  const [profiles] = await Promise.all([fetchProfiles(command), sleep(durationMs, signal).catch(() => {})]);
  captureOver();
  return { profiles, inspection: sampler.inspect(key), startedAt };
}

/** @throws CliError when there is neither a window nor a profile */
export async function writeCapture(
  { profiles, inspection, startedAt }: Captured,
  recorder: Recorder,
  { process: named, say, file, sign, policy }: CaptureCommand,
): Promise<CaptureOutcome> {
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
  const input = {
    incident,
    policy: policy ? JSON.parse(JSON.stringify(policy)) : null,
    createdAt: new Date().toISOString(),
    node: hostname(),
    tools,
  };
  const written = await writeBundle(entries, input, {
    file,
    ...(sign ? { sign } : {}),
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
