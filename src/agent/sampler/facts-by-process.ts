/** One flush, dealt out to the processes it speaks of: once for all containers, however many there are. Pure. */
import type { Flush } from '../../host/probe/index.ts';
import type { ProbeFacts } from './window-builder.ts';

const empty = (): ProbeFacts => ({
  pauses: [],
  cycles: [],
  histograms: [],
  sampled: [],
  counts: [],
  waits: [],
  oomVictims: [],
});
const nothing = empty();

export class FactsByProcess {
  readonly #byPid = new Map<number, ProbeFacts>();

  constructor({ pauses, cycles, histograms, sampled, counts, waits, oomVictims }: Flush) {
    for (const event of pauses) this.#factsOf(event.pid).pauses.push(event);
    for (const event of cycles) this.#factsOf(event.pid).cycles.push(event);
    for (const event of histograms) this.#factsOf(event.pid).histograms.push(event);
    for (const event of sampled) this.#factsOf(event.pid).sampled.push(event);
    for (const event of counts) this.#factsOf(event.pid).counts.push(event);
    for (const event of waits) this.#factsOf(event.pid).waits.push(event);
    for (const event of oomVictims) this.#factsOf(event.pid).oomVictims.push(event);
  }

  /** Events of these processes; of several process after process, each in the order in which it happened. Not to be changed. */
  of(pids: readonly number[]): ProbeFacts {
    const [first, ...others] = pids.flatMap((pid) => this.#byPid.get(pid) ?? []);
    return others.reduce(joined, first ?? nothing);
  }

  #factsOf(pid: number): ProbeFacts {
    const known = this.#byPid.get(pid);
    if (known) return known;
    const facts = empty();
    this.#byPid.set(pid, facts);
    return facts;
  }
}

function joined(a: ProbeFacts, b: ProbeFacts): ProbeFacts {
  return {
    pauses: [...a.pauses, ...b.pauses],
    cycles: [...a.cycles, ...b.cycles],
    histograms: [...a.histograms, ...b.histograms],
    sampled: [...a.sampled, ...b.sampled],
    counts: [...a.counts, ...b.counts],
    waits: [...a.waits, ...b.waits],
    oomVictims: [...a.oomVictims, ...b.oomVictims],
  };
}
