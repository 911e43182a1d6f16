/** The probe's attachments, one for each executable file, however many processes run it. */
import { type AttachPlan, findGcGlobals, type GcGlobals, planAttach, type Refused } from '../../gobin/index.ts';
import { type Executable, type FileReader, openFileReader } from '../../host/index.ts';
import {
  type AttachRequest,
  attachRequest,
  groupPoints,
  type ProbeClient,
  ProbeError,
} from '../../host/probe/index.ts';
import { Libraries } from './libraries.ts';
import { missingInKernel } from './missing.ts';
import type { MissingSignals } from './types.ts';

export type Plan = AttachPlan | Refused;

const maxRemembered = 256;
/** As Go names it. */
const machine = process.arch === 'x64' ? 'amd64' : process.arch;

/** Identity of a file's content, as far as a stat tells: a file may be overwritten in place while nobody runs it. */
export function fileKey({ device, inode, sizeBytes, modifiedMs }: Executable): string {
  return `${device}:${inode}:${sizeBytes}:${modifiedMs}`;
}

/** The same whatever mount shows the file: on overlayfs, each container's has a device number of its own. */
function contentKey({ inode, sizeBytes, modifiedMs }: Executable): string {
  return `${inode}:${sizeBytes}:${modifiedMs}`;
}

/** Reads a binary once: the answer for a file does not change while its identity stays. */
export class PlanCache {
  readonly #plans = new Map<string, Plan>();
  readonly #globals = new Map<string, GcGlobals | Refused>();

  planFor(executable: Executable): Plan {
    return remembered(this.#plans, executable, (reader) => planAttach(reader, { machine }));
  }

  /** Where the program keeps the collector's books. */
  globalsFor(executable: Executable): GcGlobals | Refused {
    return remembered(this.#globals, executable, findGcGlobals);
  }
}

function remembered<T>(known: Map<string, T>, executable: Executable, look: (reader: FileReader) => T): T {
  const key = fileKey(executable);
  const before = known.get(key);
  if (before !== undefined) return before;
  using reader = openFileReader(executable.path);
  const found = look(reader);
  if (known.size >= maxRemembered) known.delete(known.keys().next().value ?? '');
  known.set(key, found);
  return found;
}

/** Around a goroutine's wait for data; none where the program's code does not show it. */
function readPoints(plan: Pick<AttachPlan, 'optional'>): AttachRequest['points'] {
  return plan.optional.filter(({ group }) => group === 'pollPark').flatMap(groupPoints);
}

/** What of the probe is needed here. */
export type AttachingProbe = Pick<ProbeClient, 'ready' | 'attach' | 'detach' | 'watch' | 'unwatch' | 'runs'>;

/** Attachments of one running probe; a new probe begins with none. */
export class Attachments {
  readonly #probe: AttachingProbe;
  readonly #libraries: Libraries;
  readonly #users = new Map<string, { id: string; executable: Executable; processes: number }>();
  readonly #reads = new Map<string, { id: string; watchers: number; attached: Promise<unknown> }>();
  readonly #alwaysReads: boolean;
  readonly #missingInKernel: readonly MissingSignals[];
  #nextId = 1;

  /** @param alwaysReads watches how long goroutines wait for data all the time: that costs a busy server some µs for each */
  constructor(probe: AttachingProbe, alwaysReads = false) {
    this.#probe = probe;
    this.#libraries = new Libraries(probe);
    this.#missingInKernel = missingInKernel(probe.ready);
    this.#alwaysReads = alwaysReads;
  }

  /**
   * The executable as it is known here. Many mounts may show one inode, each with a device number of its own; it is attached to once, else
   * each of its processes would meet the probe once for each mount. What looks the same is the same only when the kernel says so.
   */
  async known(pid: number, executable: Executable): Promise<Executable> {
    if (this.#users.has(fileKey(executable))) return executable;
    for (const { id, executable: attached } of this.#users.values()) {
      if (contentKey(attached) !== contentKey(executable)) continue;
      if ((await this.#probe.runs(pid, id)) === true) return { ...executable, device: attached.device };
    }
    return executable;
  }

  /** Attaches where that has not been done yet, and begins to watch the process. Rejects with the probe's refusal. */
  async watch(pid: number, executable: Executable, plan: AttachPlan): Promise<void> {
    const key = fileKey(executable);
    const user = this.#users.get(key) ?? (await this.#attach(executable, plan));
    try {
      await this.#refuseOther(pid, user.id, executable);
      await this.#probe.watch(pid, user.id);
    } catch (error) {
      if (user.processes === 0) await this.#probe.detach(user.id);
      throw error;
    }
    user.processes += 1;
    this.#users.set(key, user);
    try {
      await this.#libraries.use(pid);
    } catch (error) {
      await this.unwatch(pid, executable, false).catch(() => {}); // the first error tells more
      throw error;
    }
  }

  /** Looks again what the process has loaded meanwhile. Rejects only when the probe itself has failed. */
  async look(pid: number): Promise<void> {
    await this.#libraries.look(pid);
  }

  /**
   * Watches how long goroutines of this program wait for data, until the returned function is called: for the seconds of a capture. Does
   * nothing where the program's code does not show it.
   */
  async watchReads(executable: Executable, plan: Pick<AttachPlan, 'optional'>): Promise<() => Promise<void>> {
    const points = readPoints(plan);
    if (points.length === 0 || this.#alwaysReads) return async () => {};
    const key = fileKey(executable);
    const known = this.#reads.get(key) ?? this.#attachReads(executable, points);
    this.#reads.set(key, known);
    known.watchers += 1;
    const leave = (): boolean => {
      known.watchers -= 1;
      return known.watchers === 0 && this.#reads.delete(key);
    };
    try {
      await known.attached;
    } catch (error) {
      leave();
      throw error;
    }
    return async () => {
      if (leave()) await this.#probe.detach(known.id);
    };
  }

  /** Another number when what `missingOf` says may have changed. */
  get revision(): number {
    return this.#libraries.revision;
  }

  /** What cannot be seen of this process though the probe watches it. */
  missingOf(pid: number): MissingSignals[] {
    return [...this.#missingInKernel, ...this.#libraries.missingOf(pid)];
  }

  /** @param gone the process has ended: the probe has forgotten it already */
  async unwatch(pid: number, executable: Executable, gone: boolean): Promise<void> {
    const key = fileKey(executable);
    const user = this.#users.get(key);
    if (!user) return;
    await this.#libraries.leave(pid);
    if (!gone) await this.#unwatch(pid);
    user.processes -= 1;
    if (user.processes > 0) return;
    this.#users.delete(key);
    await this.#probe.detach(user.id);
  }

  async #attach(
    executable: Executable,
    plan: AttachPlan,
  ): Promise<{ id: string; executable: Executable; processes: number }> {
    const id = `exe${this.#nextId++}`;
    const request = attachRequest(id, executable.path, plan);
    const reads = this.#alwaysReads ? readPoints(plan) : [];
    await this.#probe.attach({ ...request, points: [...request.points, ...reads] });
    return { id, executable, processes: 0 };
  }

  #attachReads({ path }: Executable, points: AttachRequest['points']) {
    const id = `reads${this.#nextId++}`;
    return { id, watchers: 0, attached: this.#probe.attach({ id, file: path, points }) };
  }

  /** Overlayfs copies a file that is changed (chmod is enough): who runs the old one cannot be reached by any path. */
  async #refuseOther(pid: number, id: string, { link }: Executable): Promise<void> {
    if ((await this.#probe.runs(pid, id)) !== false) return;
    const message = `process ${pid} does not run what is at ${link} now: the file was copied or replaced since it started`;
    throw new ProbeError('OTHER_FILE', `${message}; restart it to have it observed in full`);
  }

  /** A process that ended since the last flush is unknown to the probe already; its place among the users is given up all the same. */
  async #unwatch(pid: number): Promise<void> {
    try {
      await this.#probe.unwatch(pid);
    } catch (error) {
      if (!(error instanceof ProbeError) || error.code !== 'NOT_WATCHED') throw error;
    }
  }
}
