/** Pods of one image as the scheduler, kubelet and containerd would show them: objects in a real API server, cgroups, processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { inCgroups, makePodCgroup, type PodCgroup } from '../../src/agent/testing/pod-cgroup.ts';
import { stopChild } from '../../src/agent/testing/robot.ts';
import { create, patchMerge, pods, type Transport } from '../../src/kube/index.ts';

export interface PopulationOptions {
  readonly transport: Transport;
  readonly binary: string;
  readonly args: readonly string[];
  readonly node: string;
  /** Label `app` of all pods. */
  readonly app: string;
}

const namespace = 'robots';

export class Population implements AsyncDisposable {
  readonly #options: PopulationOptions;
  readonly #group = `robotgc-bench-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #cgroups: PodCgroup[] = [];
  readonly #processes: ChildProcess[] = [];

  constructor(options: PopulationOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#processes.length;
  }

  /** More pods, until there are so many. */
  async grow(to: number): Promise<void> {
    while (this.size < to) {
      const from = this.size;
      await Promise.all(Array.from({ length: Math.min(10, to - from) }, (_, i) => this.#add(from + i)));
    }
  }

  async #add(index: number): Promise<void> {
    const { transport, node, app } = this.#options;
    const name = `${app}-${index}`;
    const containerId = randomBytes(32).toString('hex');
    const { metadata } = await create(transport, pods, {
      metadata: { name, namespace, labels: { app } },
      spec: { nodeName: node, containers: [{ name: 'robot', image: 'robot' }], automountServiceAccountToken: false },
    });
    const cgroup = makePodCgroup(this.#group, metadata.uid, containerId);
    this.#cgroups.push(cgroup);
    // The whole of 127.0.0.0/8 is this machine: an address for each pod.
    const podIP = `127.77.${index >> 8}.${index & 255}`;
    this.#processes.push(this.#start(cgroup, podIP));
    const status = running(containerId, podIP);
    await patchMerge(transport, pods, { namespace, name }, { status }, { subresource: 'status' });
  }

  #start({ procsFiles }: PodCgroup, podIP: string): ChildProcess {
    const { binary } = this.#options;
    const args = [...this.#options.args, '-pprof', `${podIP}:6060`];
    const [program, ...words] = inCgroups(procsFiles, [binary, ...args]);
    return spawn(program, words, { stdio: 'ignore' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((child) => stopChild(child)));
    for (const cgroup of this.#cgroups) await cgroup.remove();
  }
}

function running(containerId: string, podIP: string): object {
  const container = {
    name: 'robot',
    image: 'robot',
    imageID: 'robot',
    ready: true,
    restartCount: 0,
    containerID: `containerd://${containerId}`,
    state: { running: { startedAt: new Date().toISOString() } },
  };
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    containerStatuses: [container],
  };
}
