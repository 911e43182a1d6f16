/** For tests: transports of operators that die or sleep at one of their calls. */
import type { JsonRequest, Transport } from '../../kube/index.ts';

/** At which of its writes an operator dies; `after` = the server took it, and nobody was told. */
export interface Death {
  readonly write: number;
  readonly when: 'before' | 'after';
}

/**
 * At which call an operator is stopped, as by SIGSTOP, for longer than its lease: right before a write is sent, or before the next thing that it
 * reads of a workload or its pods after a write, so that what it decided by is old when it goes on.
 */
export interface Sleep {
  readonly write: number;
  readonly before: 'write' | 'read';
}

export class Killed extends Error {}

/** A transport whose owner dies at one write; every call that it makes after that fails too. */
export function mortal(transport: Transport, death: Death | undefined, counted: (path: string) => number): Transport {
  let dead = false;
  return withJson(transport, async (request) => {
    if (dead) throw new Killed();
    if (request.method === 'GET') return transport.json(request);
    dead = counted(request.path) === death?.write;
    if (dead && death?.when === 'before') throw new Killed();
    const answer = await transport.json(request);
    if (dead) throw new Killed();
    return answer;
  });
}

/** An operator that falls asleep once, and knows nothing of it when it is woken. */
export class Sleeper {
  readonly transport: Transport;
  readonly #asleep = Promise.withResolvers<void>();
  readonly #woken = Promise.withResolvers<void>();
  #writes = 0;
  #hasSlept = false;

  constructor(transport: Transport, sleep: Sleep) {
    this.transport = withJson(transport, async (request) => {
      const isWrite = request.method !== 'GET';
      if (isWrite) this.#writes++;
      const isDue = isWrite ? sleep.before === 'write' : sleep.before === 'read' && isOfWorkload(request.path);
      if (isDue && !this.#hasSlept && this.#writes === sleep.write) {
        this.#hasSlept = true;
        this.#asleep.resolve();
        await this.#woken.promise;
      }
      return transport.json(request);
    });
  }

  get asleep(): Promise<void> {
    return this.#asleep.promise;
  }

  wake(): void {
    this.#woken.resolve();
  }
}

function isOfWorkload(path: string): boolean {
  return path.startsWith('/apis/apps/') || path.includes('/pods');
}

function withJson(transport: Transport, json: (request: JsonRequest) => Promise<unknown>): Transport {
  return {
    server: transport.server,
    defaultNamespace: transport.defaultNamespace,
    json,
    stream: (...args) => transport.stream(...args),
    portForward: (...args) => transport.portForward(...args),
    close: () => Promise.resolve(),
  };
}
