/** The processes of one target, and what they come to: how it stands with the target, and what is not seen of it. Pure. */
import type { Executable } from '../../host/index.ts';
import type { Attachments } from './attachments.ts';
import { missingFromBooks, missingInProgram } from './missing.ts';
import { booksClosed, type Progress } from './progress.ts';
import type { MissingSignals, TargetState, WatchedProgram } from './types.ts';

export interface FollowedProcess {
  readonly pid: number;
  readonly startTicks: number;
  /** Of its executable as its own mounts show it. */
  readonly seenKey: string | null;
  /** As the probe's attachments know it. */
  readonly executable: Executable | null;
  progress: Progress;
  readonly sinceMs: number;
  /** Monotonic: from when on it is looked at again. */
  checkAtMs: number;
}

/** Without its books the allocation rate is that between two cycles, which may be long ago. */
const onlyInBooks = ['gc.limiterOn', 'gc.allocBytesPerSecond', 'rhythm'];

/** Signals of one process that are not seen. */
export function missingOf(
  { pid, progress }: FollowedProcess,
  attachments: Attachments | null,
): readonly MissingSignals[] {
  if (progress.kind === 'read') return [missingFromBooks(progress.why)];
  if (progress.kind === 'refused') return [];
  const { plan, books } = progress;
  const withoutBooks = 'read' in books || books === booksClosed ? [] : [{ signals: onlyInBooks, ...books }];
  return [...missingInProgram(plan), ...(attachments?.missingOf(pid) ?? []), ...withoutBooks];
}

export interface Known {
  readonly programs: readonly WatchedProgram[];
  readonly watched: readonly number[];
  readonly state: TargetState;
}

export function knownOf(processes: readonly FollowedProcess[]): Known {
  const programs = processes
    .flatMap(({ pid, executable, progress }) =>
      progress.kind !== 'refused' && executable ? [{ pid, executable, plan: progress.plan }] : [],
    )
    .sort((a, b) => a.pid - b.pid);
  return { programs, watched: programs.map(({ pid }) => pid), state: stateOf(processes, programs) };
}

function stateOf(processes: readonly FollowedProcess[], programs: readonly WatchedProgram[]): TargetState {
  const [first] = programs;
  if (first) return { state: 'Watching', goVersion: first.plan.goVersion, pids: programs.map(({ pid }) => pid) };
  const refusals = processes.flatMap(({ progress }) => (progress.kind === 'refused' ? [progress] : []));
  // A shell beside a Go program that is too old: the program's refusal is the one that matters.
  const refusal = refusals.find(({ reason }) => reason !== 'not-go') ?? refusals[0];
  if (refusal) return { state: 'Refused', reason: refusal.reason, message: refusal.message };
  return noProcess;
}

const noProcess: TargetState = {
  state: 'Waiting',
  reason: 'NoProcess',
  message: 'no running process was found in this container yet',
};
