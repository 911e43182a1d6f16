/** The probe's attachments, one for each executable file, however many processes run it. */
import { type AttachPlan, planAttach, type Refused } from '../../gobin/index.ts';
import { type Executable, openFileReader } from '../../host/index.ts';
import type { AttachRequest, GcControllerLayout, ProbeClient } from '../../host/probe/index.ts';

export type Plan = AttachPlan | Refused;

const maxRemembered = 256;

/** Identity of a file's content, as far as a stat tells. */
export function fileKey(executable: Executable): string {
  return `${executable.device}:${executable.inode}:${executable.sizeBytes}`;
}

/** Reads a binary once: the answer for a file does not change while its identity stays. */
export class PlanCache {
  readonly #plans = new Map<string, Plan>();

  planFor(executable: Executable): Plan {
    const key = fileKey(executable);
    const known = this.#plans.get(key);
    if (known) return known;
    const plan = readPlan(executable.path);
    if (this.#plans.size >= maxRemembered) this.#plans.delete(this.#plans.keys().next().value ?? '');
    this.#plans.set(key, plan);
    return plan;
  }
}

function readPlan(path: string): Plan {
  using reader = openFileReader(path);
  return planAttach(reader);
}

/** Attachments of one running probe; a new probe begins with none. */
export class Attachments {
  readonly #probe: ProbeClient;
  readonly #users = new Map<string, { id: string; processes: number }>();
  #nextId = 1;

  constructor(probe: ProbeClient) {
    this.#probe = probe;
  }

  /** Attaches where that has not been done yet, and begins to watch the process. Rejects with the probe's refusal. */
  async watch(pid: number, executable: Executable, plan: AttachPlan): Promise<void> {
    const key = fileKey(executable);
    const known = this.#users.get(key);
    if (known) {
      await this.#probe.watch(pid, known.id);
      known.processes += 1;
      return;
    }
    const id = `exe${this.#nextId++}`;
    await this.#probe.attach(attachRequest(id, executable.path, plan));
    try {
      await this.#probe.watch(pid, id);
      this.#users.set(key, { id, processes: 1 });
    } catch (error) {
      await this.#probe.detach(id);
      throw error;
    }
  }

  /** @param gone the process has ended: the probe has forgotten it already */
  async unwatch(pid: number, executable: Executable, gone: boolean): Promise<void> {
    const key = fileKey(executable);
    const user = this.#users.get(key);
    if (!user) return;
    if (!gone) await this.#probe.unwatch(pid);
    user.processes -= 1;
    if (user.processes > 0) return;
    this.#users.delete(key);
    await this.#probe.detach(user.id);
  }
}

function attachRequest(id: string, file: string, plan: AttachPlan): AttachRequest {
  return {
    id,
    file,
    points: plan.points.map(({ point, offset, bytes }) => ({ point, offset, bytes })),
    layout: layoutOffsets(plan),
    stoppingKnown: plan.stwArguments.finishedStopping !== null,
  };
}

function layoutOffsets({ layout: { fields } }: AttachPlan): GcControllerLayout {
  return {
    gcPercent: fields.gcPercent.offset,
    memoryLimit: fields.memoryLimit.offset,
    heapMinimum: fields.heapMinimum.offset,
    gcPercentHeapGoal: fields.gcPercentHeapGoal.offset,
    sweepDistMinTrigger: fields.sweepDistMinTrigger.offset,
    triggered: fields.triggered.offset,
    lastHeapGoal: fields.lastHeapGoal.offset,
    heapLive: fields.heapLive.offset,
    lastStackScan: fields.lastStackScan.offset,
    globalsScan: fields.globalsScan.offset,
    heapMarked: fields.heapMarked.offset,
    assistTime: fields.assistTime.offset,
    dedicatedMarkTime: fields.dedicatedMarkTime.offset,
    fractionalMarkTime: fields.fractionalMarkTime.offset,
    idleMarkTime: fields.idleMarkTime.offset,
    markStartTime: fields.markStartTime.offset,
    heapInUse: fields.heapInUse.offset,
    heapReleased: fields.heapReleased.offset,
    heapFree: fields.heapFree.offset,
    totalAlloc: fields.totalAlloc.offset,
    totalFree: fields.totalFree.offset,
    mappedReady: fields.mappedReady.offset,
  };
}
