/** Which way leads to a container's pprof: found out when it is first seen, so that a capture loses no time. */
import type { PolicySpec } from '../../api/index.ts';
import {
  connectNetworkNamespace,
  connectTcp,
  type PprofTarget,
  type ReachCandidate,
  type ReachFailure,
  reach,
  type Way,
} from '../../capture/index.ts';
import type { Proc } from '../../host/index.ts';
import { type Controller, type HandlerResult, KeyedQueue, type Pod, type Transport } from '../../kube/index.ts';
import { backoffMs } from '../sampler/backoff.ts';

/** As status and documentation name the ways. */
export const wayNames: Readonly<Record<Way, string>> = {
  direct: 'podAddress',
  'port-forward': 'portForward',
  'network-namespace': 'networkNamespace',
};

/** A container whose pprof is wanted. */
export interface PprofSubject {
  readonly containerId: string;
  readonly pod: Pod;
  /** A watched process of it. */
  readonly pid: number;
  readonly pprof: PolicySpec['capture']['pprof'];
}

export type WayResult =
  | { readonly type: 'found'; readonly target: PprofTarget }
  | { readonly type: 'unreachable'; readonly code: string; readonly message: string };

export interface PprofWaysOptions {
  readonly transport: Pick<Transport, 'portForward'>;
  readonly proc: Proc;
  readonly allowNetworkNamespace: boolean;
  /** The container as it is now; undefined: not watched any more. */
  readonly subject: (containerId: string) => PprofSubject | undefined;
  /** Called when what is known of a container changed. */
  readonly onChange: (containerId: string) => void;
}

/** A program opens its pprof some time after its start. */
const firstLookMs = 3_000;
/**
 * Next looks, for its status alone (a capture looks for itself): doubling, because a look through the API server costs milliseconds, and a
 * fleet without pprof would have all of its containers looked for each minute.
 */
const nextLookMs = 60_000;
const maxLookMs = 3_600_000;
const connectTimeoutMs = 3_000;

export class PprofWays implements Controller {
  readonly name = 'pprof-ways';
  readonly leaderOnly = false;
  readonly concurrency = 2;
  readonly queue = new KeyedQueue({ name: 'pprof-ways' });
  readonly #options: PprofWaysOptions;
  readonly #known = new Map<string, WayResult>();
  /** Looks in vain, by container. */
  readonly #misses = new Map<string, number>();

  constructor(options: PprofWaysOptions) {
    this.#options = options;
  }

  /** What is known of each container: the way that works, or why none does. */
  get known(): ReadonlyMap<string, WayResult> {
    return this.#known;
  }

  seen(containerId: string): void {
    if (!this.#known.has(containerId)) this.queue.addAfter(containerId, firstLookMs);
  }

  forget(containerId: string): void {
    this.#known.delete(containerId);
    this.#misses.delete(containerId);
  }

  async reconcile(containerId: string, signal: AbortSignal): Promise<HandlerResult> {
    const subject = this.#options.subject(containerId);
    if (!subject || this.#known.get(containerId)?.type === 'found') return {};
    const result = await this.find(subject, signal);
    if (result.type === 'found') return {};
    const misses = (this.#misses.get(containerId) ?? 0) + 1;
    this.#misses.set(containerId, misses);
    return { requeueAfterMs: backoffMs(misses, nextLookMs, maxLookMs) };
  }

  /** The way that worked last, if it still does; else the first that does, least privilege first. */
  async find(subject: PprofSubject, signal: AbortSignal): Promise<WayResult> {
    const known = this.#known.get(subject.containerId);
    const candidates = this.#candidates(subject);
    const proven = known?.type === 'found' ? candidates.filter(({ way }) => way === known.target.way) : [];
    const result = (await this.#reach(subject, proven, signal)) ?? (await this.#reach(subject, candidates, signal));
    const answer = result ?? unreachable([]);
    if (JSON.stringify(summary(known)) !== JSON.stringify(summary(answer))) {
      this.#known.set(subject.containerId, answer);
      this.#options.onChange(subject.containerId);
    }
    return answer;
  }

  async #reach(subject: PprofSubject, candidates: ReachCandidate[], signal: AbortSignal): Promise<WayResult | null> {
    if (candidates.length === 0) return null;
    const expectArguments = this.#options.proc.commandLine(subject.pid);
    const { target, failures } = await reach(candidates, signal, {
      prefix: subject.pprof.path,
      connectTimeoutMs,
      ...(expectArguments ? { expectArguments } : {}),
    });
    return target ? { type: 'found', target } : unreachable(failures);
  }

  #candidates({ pod, pid, pprof: { port } }: PprofSubject): ReachCandidate[] {
    const { namespace, name } = pod.metadata;
    const { podIP } = pod.status;
    const candidates: ReachCandidate[] = [];
    if (podIP !== '') candidates.push({ way: 'direct', where: `${podIP}:${port}`, connect: connectTcp(podIP, port) });
    candidates.push({
      way: 'port-forward',
      where: `pod ${namespace}/${name} port ${port}`,
      connect: (signal) => this.#options.transport.portForward(namespace, name, port, signal),
    });
    if (this.#options.allowNetworkNamespace) {
      const where = `127.0.0.1:${port} of process ${pid}`;
      candidates.push({ way: 'network-namespace', where, connect: connectNetworkNamespace(pid, port) });
    }
    return candidates;
  }
}

function unreachable(failures: readonly ReachFailure[]): WayResult {
  const tried = failures.map(({ way, where, message }) => `${wayNames[way]} ${where}: ${message}`).join('; ');
  const message = `no pprof was reached: ${tried || 'the pod has no address yet'}`;
  return { type: 'unreachable', code: failures.at(-1)?.code ?? 'unreachable', message };
}

function summary(result: WayResult | undefined): unknown {
  return result?.type === 'found' ? { way: result.target.way, where: result.target.where } : result;
}
