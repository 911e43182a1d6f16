/** Cgroups of containers as the kubelet makes them, with limits, on a machine whose memory and CPU controllers are those of cgroup v1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inCgroups, makePodCgroup, type PodCgroup } from '../../src/agent/testing/pod-cgroup.ts';
import { stopChild } from '../../src/agent/testing/robot.ts';

export interface Limits {
  readonly memoryMib?: number;
  readonly cpuCores?: number;
}

const periodUs = 100_000;
/** Where memory ends it is not the robot that goes: what the kubelet says of pods that ask for nothing. */
const firstToBeKilled = 'echo 1000 > /proc/self/oom_score_adj && exec "$0" "$@"';

/** One node's worth of containers: what limits the group limits all of them together, as a machine's memory does. */
export class Node implements AsyncDisposable {
  readonly #group = `robotgc-diagnosis-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #containers: Container[] = [];

  /** @param limits of all containers together */
  add(limits: Limits, ofAll: Limits = {}): Container {
    const container = new Container(this.#group, limits, ofAll);
    this.#containers.push(container);
    return container;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers.reverse()) await container[Symbol.asyncDispose]();
  }
}

export class Container implements AsyncDisposable {
  readonly podUid = randomUUID();
  readonly id = randomBytes(32).toString('hex');
  readonly #cgroup: PodCgroup;
  readonly #companions: ChildProcess[] = [];

  constructor(group: string, limits: Limits, ofAll: Limits) {
    this.#cgroup = makePodCgroup(group, this.podUid, this.id);
    for (const procs of this.procsFiles) {
      const container = dirname(procs);
      limit(container, limits);
      limit(dirname(dirname(container)), ofAll);
    }
  }

  get procsFiles(): readonly string[] {
    return this.#cgroup.procsFiles;
  }

  /** Starts something in the container that runs until the end. @returns the process */
  run(command: readonly [string, ...string[]]): ChildProcess {
    const [program, ...words] = inCgroups(this.procsFiles, ['sh', '-c', firstToBeKilled, ...command]);
    const env = { ...process.env, GOGC: 'off' };
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#companions.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#companions.map((child) => stopChild(child)));
    await this.#cgroup.remove();
  }
}

/** @param directory of one hierarchy; the files of another controller are not there */
function limit(directory: string, { memoryMib, cpuCores }: Limits): void {
  const memory = join(directory, 'memory.limit_in_bytes');
  if (memoryMib !== undefined && existsSync(memory)) writeFileSync(memory, String(memoryMib * 2 ** 20));
  const cpu = join(directory, 'cpu.cfs_quota_us');
  if (cpuCores !== undefined && existsSync(cpu)) writeFileSync(cpu, String(Math.round(cpuCores * periodUs)));
}
