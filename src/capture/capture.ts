import { checkContent } from './check.ts';
import { type ByteBudget, fetchBounded } from './fetch.ts';
import { goroutineCount } from './goroutine-count.ts';
import { groupedGoroutines, type ProfilePlan, profilePlans, wholeSeconds } from './plan.ts';
import {
  type CapturedFile,
  CaptureError,
  type CaptureFailure,
  type CaptureLimits,
  type CaptureRequest,
  type CaptureResult,
  defaultCaptureLimits,
  profileKinds,
} from './types.ts';

export const defaultPrefix = '/debug/pprof';

/**
 * Fetches the profiles of one window. Those that span the window start together at once; those of a moment follow one after the
 * other while the long ones run, dearest last: a goroutine dump stops the world for as long as it takes to write all stacks.
 * Always returns: what could not be had is in `failures`, also when `signal` ends the capture early.
 */
export async function capture(request: CaptureRequest): Promise<CaptureResult> {
  const limits = { ...defaultCaptureLimits, ...request.limits };
  const budget: ByteBudget = { leftBytes: limits.maxTotalBytes };
  const asked = profileKinds.filter((kind) => request.profiles.includes(kind)).map((kind) => profilePlans[kind]);
  const startedAt = new Date().toISOString();
  const window = asked.filter((plan) => plan.spans === 'window').map((plan) => attempt(plan, request, limits, budget));
  const moments: Attempt[] = [];
  for (const kind of ['heap', 'allocs', 'goroutine'] as const) {
    if (!request.profiles.includes(kind)) continue;
    const plan = kind === 'goroutine' ? await bearableDump(request, limits) : profilePlans[kind];
    moments.push(await attempt(plan, request, limits, budget));
  }
  const attempts = [...(await Promise.all(window)), ...moments];
  const byKind = <T extends { kind: CapturedFile['kind'] }>(items: T[]): T[] =>
    items.sort((a, b) => profileKinds.indexOf(a.kind) - profileKinds.indexOf(b.kind));
  return {
    way: request.target.way,
    where: request.target.where,
    startedAt,
    endedAt: new Date().toISOString(),
    files: byKind(attempts.flatMap((outcome) => ('file' in outcome ? [outcome.file] : []))),
    failures: byKind(attempts.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []))),
  };
}

/** The dump must not be the spike that it is meant to explain. */
async function bearableDump(request: CaptureRequest, limits: CaptureLimits): Promise<ProfilePlan> {
  const { transport, prefix = defaultPrefix } = request.target;
  const count = await goroutineCount(transport, prefix, request.signal);
  return count !== undefined && count > limits.maxDumpGoroutines ? groupedGoroutines : profilePlans.goroutine;
}

type Attempt = { readonly file: CapturedFile } | { readonly failure: CaptureFailure };

async function attempt(
  plan: ProfilePlan,
  request: CaptureRequest,
  limits: CaptureLimits,
  budget: ByteBudget,
): Promise<Attempt> {
  const { kind } = plan;
  request.onProgress?.({ kind, state: 'started' });
  try {
    const file = await fetchProfile(plan, request, limits, budget);
    request.onProgress?.({ kind, state: 'done', sizeBytes: file.bytes.length });
    return { file };
  } catch (error) {
    const failure = failureOf(kind, error);
    request.onProgress?.({ kind, state: 'failed', failure });
    return { failure };
  }
}

async function fetchProfile(
  plan: ProfilePlan,
  request: CaptureRequest,
  limits: CaptureLimits,
  budget: ByteBudget,
): Promise<CapturedFile> {
  const { kind, name, format } = plan;
  const { transport, way, where, prefix = defaultPrefix } = request.target;
  const seconds = wholeSeconds(request.durationMs);
  const path = `${prefix}${plan.path(seconds)}`;
  const startedAt = new Date().toISOString();
  const bytes = await fetchBounded(transport, {
    path,
    budget,
    maxBytes: limits.maxProfileBytes,
    deadlineMs: (plan.spans === 'window' ? seconds * 1000 : 0) + limits.graceMs,
    signal: request.signal,
    onBytes: (receivedBytes) => request.onProgress?.({ kind, state: 'receiving', receivedBytes }),
  });
  const endedAt = new Date().toISOString();
  const samples = await checkContent(bytes, format, limits.maxUnpackedBytes);
  const source = `GET ${path} ${way} ${where}`;
  return { name, kind, bytes, startedAt, endedAt, source, ...(samples === undefined ? {} : { samples }) };
}

function failureOf(kind: CaptureFailure['kind'], error: unknown): CaptureFailure {
  if (error instanceof CaptureError) return { kind, code: error.code, message: error.message };
  return { kind, code: 'protocol', message: error instanceof Error ? error.message : String(error) };
}
