/** Where the kernel's files are. In a pod the host's are mounted elsewhere. */
export interface HostRoots {
  /** Default `/proc`. */
  readonly procRoot: string;
  /** Default `/sys/fs/cgroup`. */
  readonly cgroupRoot: string;
}

/** Identity of a process: a PID alone is reused, a PID with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat`: clock ticks since boot. */
  readonly startTicks: number;
}

/** One line of `/proc/PID/cgroup`. */
export interface CgroupMembership {
  /** 0 is the v2 hierarchy. */
  readonly hierarchy: number;
  /** v1 controllers, or `name=…`; empty for v2. */
  readonly controllers: readonly string[];
  /** As the kernel shows it to the reader's cgroup namespace: may begin with `/..`. */
  readonly path: string;
}

/** The file a process runs. Two processes whose `device` and `inode` are equal run the same one; through two mounts of overlayfs others may too. */
export interface Executable {
  /** Path to open it from here: `<procRoot>/<pid>/exe`. */
  readonly path: string;
  /** What the link says, in the process's mount namespace; ` (deleted)` may be appended. */
  readonly link: string;
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  /** When its content was last written, ms since 1970. */
  readonly modifiedMs: number;
}

/** The environment variables that configure Go's collector. No other variable is ever returned. */
export interface GoEnvironment {
  readonly GOGC?: string;
  readonly GOMEMLIMIT?: string;
  readonly GODEBUG?: string;
  readonly GOMAXPROCS?: string;
}

export interface ProcessStatus {
  /** PIDs from the reader's namespace inwards; the last is the PID the process itself sees. */
  readonly namespacePids: readonly number[];
  /** Resident memory; null for kernel threads and zombies. */
  readonly rssBytes: number | null;
}

/**
 * What /proc tells. Every method returns undefined when the process has gone (or may not be read).
 * All reads are synchronous: /proc answers from memory and a thread-pool hop costs more than the read.
 */
export interface Proc {
  readonly root: string;
  /** All PIDs, ascending. */
  pids(): number[];
  /** The number that was given out last, to a process or thread: as long as it is the same, none is new. Undefined where unknown. */
  newestPid(): number | undefined;
  identity(pid: number): ProcessIdentity | undefined;
  /** True while exactly this process (not another with its PID) exists and is not a zombie. */
  isAlive(process: ProcessIdentity): boolean;
  status(pid: number): ProcessStatus | undefined;
  cgroups(pid: number): CgroupMembership[] | undefined;
  /** Undefined for kernel threads, for processes of others, and when the process has gone. */
  executable(pid: number): Executable | undefined;
  /** Also where it must not be seen. False for kernel threads, and from the moment a process begins to end, before it is a zombie. */
  hasProgram(pid: number): boolean;
  goEnvironment(pid: number): GoEnvironment | undefined;
  comm(pid: number): string | undefined;
  commandLine(pid: number): string[] | undefined;
}

/** One container on this node, found by its cgroup. */
export interface ContainerProcesses {
  readonly podUid: string;
  /** Without the runtime's scheme: the 64 hex digits of `containerd://…`. */
  readonly containerId: string;
  /** Memberships of the container's own cgroups (nested ones cut off). */
  readonly cgroups: readonly CgroupMembership[];
  /** Ascending, as seen from the reader. */
  readonly pids: readonly number[];
}

/** `avgN` are shares of wall time, 0 to 1 (the kernel prints percent). */
export interface PressureLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly totalNs: number;
}

export interface Pressure {
  readonly some: PressureLine;
  /** Null where the kernel does not tell (system-wide cpu before 5.13). */
  readonly full: PressureLine | null;
}

/** Pressure of the whole node: of our own cgroups and of every neighbour together. Null where the kernel does not tell. */
export interface NodePressure {
  readonly memory: Pressure | null;
  readonly cpu: Pressure | null;
  readonly io: Pressure | null;
}

/** Counters since the cgroup was made. In v1 `max` is memory.failcnt; `low`, `high`, `oom` and `oomGroupKill` do not exist there (null). */
export interface MemoryEvents {
  readonly low: number | null;
  readonly high: number | null;
  readonly max: number;
  readonly oom: number | null;
  /** Processes; see `killedOnce` for what the kernel counts twice. */
  readonly oomKill: number;
  /** Groups that were killed as a whole (memory.oom.group, which the kubelet sets); null before Linux 5.17. */
  readonly oomGroupKill: number | null;
}

export interface MemoryStat {
  readonly anonBytes: number | null;
  readonly fileBytes: number | null;
  readonly inactiveFileBytes: number | null;
  readonly majorFaults: number | null;
  readonly refaultsAnon: number | null;
  readonly refaultsFile: number | null;
  /** Pages that reclaim looked at, and that it took, for this cgroup's limit; null in v1. */
  readonly pagesScanned: number | null;
  readonly pagesStolen: number | null;
}

export interface CpuStat {
  readonly usageNs: number;
  /** CFS bandwidth periods that have elapsed, 0 without a CPU limit; so the next two. */
  readonly nrPeriods: number;
  readonly nrThrottled: number;
  readonly throttledNs: number;
}

/** A figure that is not told, by the kernel's name for it, and why: the system's code, or a few words. */
export interface MissingFile {
  readonly name: string;
  readonly problem: string;
}

/** One reading of a cgroup. Null = this kernel or hierarchy does not tell; `missing` names each such thing and why. */
export interface CgroupSample {
  readonly version: 'v2' | 'v1';
  readonly memoryCurrentBytes: number | null;
  /** memoryCurrent − inactive file: what kubelet calls the working set. */
  readonly memoryWorkingSetBytes: number | null;
  /** Null = no limit, or unknown (then in `missing`). */
  readonly memoryLimitBytes: number | null;
  readonly memoryHighBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly swapBytes: number | null;
  /** Null = no limit, or unknown (then in `missing`). */
  readonly swapLimitBytes: number | null;
  /** Of this cgroup and those below it. */
  readonly events: MemoryEvents | null;
  /** Of this cgroup alone: a kill in `events` but not here was a group's below. Null in v1. */
  readonly eventsLocal: MemoryEvents | null;
  /** How often the cgroup of the pod around it was about to go over its own limit, which a single container meets there first. Null outside a pod. */
  readonly podMaxEvents: number | null;
  readonly stat: MemoryStat | null;
  /**
   * When `stat`, `swapBytes`, `eventsLocal`, the peak and the pressure of cpu and io were read, on `performance.now()`'s clock: they may be
   * older than the rest, see `ReadPace`.
   */
  readonly slowAtMs: number;
  readonly cpu: CpuStat | null;
  /** Quota over period, in cores; null = no limit, or unknown (then in `missing`). */
  readonly cpuLimitCores: number | null;
  readonly pressure: { readonly memory: Pressure | null; readonly cpu: Pressure | null; readonly io: Pressure | null };
  /** The same array while nothing changed. */
  readonly missing: readonly MissingFile[];
}

/**
 * `all` reads every file. `tick` is for one read a second of very many cgroups: use, limit, events, CPU time and memory pressure each time;
 * memory.stat (dear: the kernel sums sixty figures), swap, peak, events.local and the pressure of cpu and io at every fifth tick, and at once
 * when memory pressure or events moved; limits that hardly ever change (memory.high, swap, cpu) at every fifteenth tick,
 * and when memory.max was changed or an event tells that a limit was met.
 *
 * `calm` is a `tick` in which no task of the whole node has waited for memory since the last one: a cgroup's memory pressure stood still
 * then, and so did what a cgroup only counts while its tasks wait (reclaim at a limit, OOM kills). Those are read at every fifth tick too, and
 * at the two ticks after memory.max was changed, for which whoever changed it reclaims and kills.
 */
export type ReadPace = 'all' | 'tick' | 'calm';

/** Keeps its files open; close it, or declare it with `using`. */
export interface CgroupReader extends Disposable {
  readonly version: 'v2' | 'v1';
  /** Absolute directory of `memory.pressure` (for PSI triggers); null when there is none. */
  readonly pressureDirectory: string | null;
  /** Default `all`. Undefined, for good, when the cgroup has gone; its files are closed then. */
  read(pace?: ReadPace): CgroupSample | undefined;
  /** Gives the descriptors back. A read after it opens them anew. */
  close(): void;
}

/** Why a count of active robots could not be had. */
export interface ActivityFailure {
  readonly kind: 'failed';
  readonly code:
    | 'unreachable'
    | 'timeout'
    | 'aborted'
    | 'status'
    | 'redirect'
    | 'too-large'
    | 'truncated'
    | 'malformed'
    | 'metric-missing'
    | 'not-a-count'
    | 'no-process'
    | 'unreadable'
    | 'not-listening';
  /** For people: what happened, to what, and where it helps what to do. */
  readonly message: string;
}

/** One reading of a count of active robots: from 0, finite. */
export type ActivityResult = { readonly kind: 'ok'; readonly value: number } | ActivityFailure;

export interface ScrapeRequest {
  readonly url: string;
  /** Metric name as exposed, e.g. `robot_active_sessions`. */
  readonly name: string;
  /** Only samples that carry all of these labels are summed. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface ConnectionsRequest {
  /** Processes of one network namespace: the first one that still lives is looked through. */
  readonly pids: readonly number[];
  /** Local TCP port. */
  readonly port: number;
  /** Default `/proc`. */
  readonly procRoot?: string | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}
