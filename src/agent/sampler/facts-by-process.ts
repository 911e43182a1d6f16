/** One flush, dealt out to the processes it speaks of: once for all containers, however many there are. Pure. */
import type { Flush } from '../../host/probe/index.ts';

const lists = ['pauses', 'assists', 'cycles', 'histograms', 'sampled', 'counts', 'waits'] as const;
type List = (typeof lists)[number];
type Events = { readonly [L in List]: Flush[L][number] };

/** The lists of a flush whose events each speak of one process. */
export type ProbeFacts = { readonly [L in List]: Events[L][] };

function facts(of: <L extends List>(list: L) => Events[L][]): ProbeFacts {
  return {
    pauses: of('pauses'),
    assists: of('assists'),
    cycles: of('cycles'),
    histograms: of('histograms'),
    sampled: of('sampled'),
    counts: of('counts'),
    waits: of('waits'),
  };
}

const nothing = facts(() => []);

export class FactsByProcess {
  readonly #byPid = new Map<number, ProbeFacts>();
  /** Events that were lost, nobody knows whose. */
  readonly #lostOfAny: number;

  constructor(flush: ProbeFacts & Pick<Flush, 'lost'>) {
    for (const list of lists) this.#deal(list, flush);
    this.#lostOfAny = Math.max(0, flush.lost - lossesIn(flush));
  }

  /** Events of these processes; of several process after process, each in the order in which it happened. Not to be changed. */
  of(pids: readonly number[]): ProbeFacts {
    const [only] = pids;
    if (pids.length < 2) return only === undefined ? nothing : this.ofProcess(only);
    const known = pids.flatMap((pid) => this.#byPid.get(pid) ?? []);
    const [first = nothing] = known;
    return known.length < 2 ? first : facts((list) => known.flatMap((each) => each[list]));
  }

  ofProcess(pid: number): ProbeFacts {
    return this.#byPid.get(pid) ?? nothing;
  }

  /** Events that were lost, or may have been, of these processes: what another lost hides nothing of them. */
  lostOf(pids: readonly number[]): number {
    return this.#lostOfAny + lossesIn(this.of(pids));
  }

  #deal<L extends List>(list: L, flush: ProbeFacts): void {
    for (const event of flush[list]) this.#factsOf(event.pid)[list].push(event);
  }

  #factsOf(pid: number): ProbeFacts {
    const known = this.#byPid.get(pid);
    if (known) return known;
    const dealt = facts(() => []);
    this.#byPid.set(pid, dealt);
    return dealt;
  }
}

function lossesIn({ counts }: Pick<ProbeFacts, 'counts'>): number {
  let lost = 0;
  for (const { lostEvents } of counts) lost += lostEvents.count;
  return lost;
}
