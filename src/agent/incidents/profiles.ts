/** Profiles of a container for an incident, by whatever way leads to its pprof. */
import { durationMs, type PolicySpec } from '../../api/index.ts';
import { type CapturedFile, capture } from '../../capture/index.ts';
import type { CaptureReport } from '../evidence/index.ts';
import { type PprofSubject, type PprofWays, type WayResult, wayNames } from './pprof-ways.ts';

/** The agent must not grow past its own memory limit for the sake of evidence. */
const limits = { maxProfileBytes: 32 * 1024 * 1024, maxTotalBytes: 64 * 1024 * 1024 };

export interface Profiles {
  readonly report: CaptureReport;
  readonly files: readonly CapturedFile[];
}

/** Always returns: without profiles the signals are still evidence, also when `signal` ends the capture early. */
export async function fetchProfiles(
  subject: PprofSubject,
  wanted: PolicySpec['capture'],
  ways: PprofWays,
  signal: AbortSignal,
): Promise<Profiles> {
  const startedAt = new Date().toISOString();
  const way = await ways.find(subject, signal).catch((error: unknown): WayResult => {
    if (!signal.aborted) throw error;
    return { type: 'unreachable', code: 'aborted', message: 'the agent was stopped before a way to pprof was found' };
  });
  if (way.type === 'unreachable') {
    const { code, message } = way;
    return {
      report: { startedAt, endedAt: new Date().toISOString(), failures: [{ kind: 'pprof', code, message }] },
      files: [],
    };
  }
  const { target } = way;
  const result = await capture({
    target,
    profiles: wanted.profiles,
    durationMs: durationMs(wanted.duration),
    signal,
    limits,
  });
  const { where, endedAt, files, failures } = result;
  return { report: { startedAt, endedAt, via: wayNames[target.way], where, failures }, files };
}
