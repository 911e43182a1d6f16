/** Where the robots are by the API server's word: the pod of each, and how often the kernel killed one for its memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerStatus, list, type Pod, pods, type Transport } from '../../../src/kube/index.ts';

const everyMs = 500;
/** How a container ends that somebody killed without asking; pods that are deleted are given time to end by themselves. */
const KILLED = 137;

export class RobotPods {
  readonly #transport: Transport;
  readonly #namespace: string;
  #pods: readonly Pod[] = [];
  /** `uid/when` of each, by the label `app`. */
  readonly #kills = new Map<string, Set<string>>();

  constructor(transport: Transport, namespace: string) {
    this.#transport = transport;
    this.#namespace = namespace;
  }

  /** Looks until the signal ends it. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look(signal).catch(() => undefined);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async look(signal: AbortSignal): Promise<void> {
    const items = await list(this.#transport, pods, { namespace: this.#namespace, signal });
    this.#pods = items;
    for (const pod of items) this.#count(pod);
  }

  /** All that there are, those that end among them. */
  get count(): number {
    return this.#pods.length;
  }

  /** Of the pod that stays; undefined: none has an address yet. */
  addressOf(app: string): string | undefined {
    return this.#podOf(app)?.status.podIP || undefined;
  }

  /** Served once, whatever it does now. */
  hasBegun(app: string): boolean {
    const status = this.#podOf(app)?.status.containerStatuses[0];
    return status !== undefined && (status.ready || status.restartCount > 0);
  }

  killsOf(app: string): number {
    return this.#kills.get(app)?.size ?? 0;
  }

  #podOf(app: string): Pod | undefined {
    return this.#pods.find(({ metadata }) => metadata.labels.app === app && !metadata.deletionTimestamp);
  }

  #count({ metadata, status }: Pod): void {
    const app = metadata.labels.app;
    if (app === undefined || metadata.deletionTimestamp) return;
    const kills = this.#kills.get(app) ?? new Set();
    for (const end of status.containerStatuses.flatMap(endsOf)) kills.add(`${metadata.uid}/${end}`);
    this.#kills.set(app, kills);
  }
}

function endsOf({ state, lastState }: ContainerStatus): string[] {
  return [state.terminated, lastState.terminated].flatMap((end) =>
    end && (end.reason === 'OOMKilled' || end.exitCode === KILLED) ? [end.finishedAt] : [],
  );
}
