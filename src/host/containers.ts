import { parseContainerPath } from './container-path.ts';
import type { ContainerProcesses, Proc } from './types.ts';

/**
 * All containers of pods on this node with their processes, by one scan of /proc/PID/cgroup.
 * Ordered by pod UID and container ID.
 */
export function scanContainers(proc: Proc): ContainerProcesses[] {
  return grouped(proc.pids().map((pid) => [pid, placeOf(proc, pid)] as const));
}

/** The container that a process is in, and its cgroups there; null for a process of none. */
type Place = Omit<ContainerProcesses, 'pids'> | null;

function placeOf(proc: Proc, pid: number): Place {
  const own = (proc.cgroups(pid) ?? []).flatMap((membership) => {
    const place = parseContainerPath(membership.path);
    return place === undefined ? [] : [{ place, cgroup: { ...membership, path: place.containerPath } }];
  });
  const [first] = own;
  if (first === undefined) return null;
  const { podUid, containerId } = first.place;
  return { podUid, containerId, cgroups: own.map(({ cgroup }) => cgroup) };
}

function grouped(places: Iterable<readonly [pid: number, place: Place]>): ContainerProcesses[] {
  const containers = new Map<string, Omit<ContainerProcesses, 'pids'> & { pids: number[] }>();
  for (const [pid, place] of places) {
    if (place === null) continue;
    const key = `${place.podUid}/${place.containerId}`;
    const known = containers.get(key);
    if (known !== undefined) known.pids.push(pid);
    else containers.set(key, { ...place, pids: [pid] });
  }
  for (const { pids } of containers.values()) pids.sort((a, b) => a - b);
  return [...containers.keys()].sort().flatMap((key) => containers.get(key) ?? []);
}

/** A process changes its cgroup while it is made, seldom later: it is asked again after its age, at most after so long. */
const maxCheckMs = 60_000;
const minCheckMs = 500;
/** A scan that finds no new process number skips the list of processes, but not for longer than this. */
const maxListMs = 5_000;

interface Placed {
  readonly place: Place;
  readonly sinceMs: number;
  readonly checkAtMs: number;
}

/**
 * The same as `scanContainers`, for a scan each second: a process is asked for its cgroups when it is new, and from time to time after. So
 * a scan of a node on which little begins or ends costs next to nothing.
 */
export class ContainerScanner {
  readonly #proc: Proc;
  readonly #nowMs: () => number;
  readonly #placed = new Map<number, Placed>();
  #containers: readonly ContainerProcesses[] = [];
  #newestPid: number | undefined;
  #listedMs = Number.NEGATIVE_INFINITY;
  #dueMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs any monotonic clock */
  constructor(proc: Proc, nowMs: () => number) {
    this.#proc = proc;
    this.#nowMs = nowMs;
  }

  /** The same array until something in it changes. A container whose last process has ended may be in it for some seconds more. */
  scan(): readonly ContainerProcesses[] {
    const nowMs = this.#nowMs();
    const newestPid = this.#proc.newestPid();
    const list = newestPid === undefined || newestPid !== this.#newestPid || nowMs - this.#listedMs >= maxListMs;
    if (!list && nowMs < this.#dueMs) return this.#containers;
    const changed = list ? this.#takeList(nowMs) : false;
    this.#newestPid = newestPid;
    if (this.#check(nowMs) || changed)
      this.#containers = grouped([...this.#placed].map(([pid, { place }]) => [pid, place] as const));
    return this.#containers;
  }

  /** New and ended processes. @returns whether a container's are among them */
  #takeList(nowMs: number): boolean {
    this.#listedMs = nowMs;
    const pids = this.#proc.pids();
    let changed = false;
    for (const pid of pids) {
      if (this.#placed.has(pid)) continue;
      const place = placeOf(this.#proc, pid);
      this.#placed.set(pid, { place, sinceMs: nowMs, checkAtMs: nowMs + minCheckMs });
      changed ||= place !== null;
    }
    if (this.#placed.size === pids.length) return changed;
    const present = new Set(pids);
    for (const [pid, { place }] of this.#placed) {
      if (present.has(pid)) continue;
      this.#placed.delete(pid);
      changed ||= place !== null;
    }
    return changed;
  }

  /** @returns whether a process is in another container than before */
  #check(nowMs: number): boolean {
    let changed = false;
    this.#dueMs = Number.POSITIVE_INFINITY;
    for (const [pid, known] of this.#placed) {
      let checkAtMs = known.checkAtMs;
      if (nowMs >= checkAtMs) {
        const place = placeOf(this.#proc, pid);
        const ageMs = nowMs - known.sinceMs;
        // Those that were found at once are not asked again at once.
        checkAtMs = nowMs + Math.min(maxCheckMs - (pid % 16) * 2000, Math.max(minCheckMs, ageMs));
        const same = place?.containerId === known.place?.containerId && place?.podUid === known.place?.podUid;
        this.#placed.set(pid, { place: same ? known.place : place, sinceMs: known.sinceMs, checkAtMs });
        changed ||= !same;
      }
      if (checkAtMs < this.#dueMs) this.#dueMs = checkAtMs;
    }
    return changed;
  }
}
