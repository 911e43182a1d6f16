/** What the readers of both versions share: opened files that are read at their pace until the cgroup has gone. */
import { existsSync } from 'node:fs';
import type { KeptFile } from '../kept-file.ts';
import type { CgroupReader, CgroupSample, Pressure, ReadPace } from '../types.ts';
import type { CgroupFiles } from './files.ts';
import { type Extent, Pace } from './pace.ts';

/** The files of one cgroup by how often they need to be read, see `ReadPace`. */
export interface PacedFiles {
  /** What moves all the time, and the limit that may be changed in place. */
  readonly eachTick: readonly KeptFile<unknown>[];
  /** What moves only while tasks wait for memory, or when the limit was changed. */
  readonly unlessCalm: readonly KeptFile<unknown>[];
  readonly whenMoved: readonly KeptFile<unknown>[];
  readonly seldom: readonly KeptFile<unknown>[];
}

export interface ReaderOptions {
  readonly version: CgroupReader['version'];
  readonly pressureDirectory: string | null;
  /** While it exists, so does the cgroup. */
  readonly directory: string;
  readonly files: CgroupFiles;
  readonly paced: PacedFiles;
  readonly limit: KeptFile<unknown>;
  readonly pressure: KeptFile<Pressure>;
  /** Counts of what happens at the limit. */
  readonly events: readonly KeptFile<unknown>[];
  /** What is read under a condition of its own. */
  readonly further?: (extent: Extent) => readonly KeptFile<unknown>[];
  /** From what was read last. */
  readonly sample: () => Omit<CgroupSample, 'version' | 'slowAtMs' | 'missing'>;
}

export function cgroupReader(options: ReaderOptions): CgroupReader {
  const { version, pressureDirectory, directory, files, paced, limit, pressure, events, sample } = options;
  const pace = new Pace();
  const limitStir = new Stir();
  const eventStir = new Stir();
  const stir = new Stir();
  let slowAtMs = 0;
  let gone = false;
  let missing = files.missing();
  let anyLost = false;
  const readPaced = (extent: Extent, calm: boolean): void => {
    let isNews = false;
    const full = extent !== 'tick';
    const read = (file: KeptFile<unknown>): void => {
      const { problem } = file;
      file.read(extent === 'whole');
      if (file.problem !== problem) isNews = true;
    };
    for (const file of paced.eachTick) read(file);
    // Whoever lowers a limit does the reclaim and the killing: no task of the node need have waited for memory.
    const hasNewLimit = limitStir.since([limit.value]);
    if (full || !calm || hasNewLimit) for (const file of paced.unlessCalm) read(file);
    const moved = stir.since([pressure.value?.some.totalNs, limit.value, ...events.map(({ value }) => value)]);
    if (full || moved) {
      for (const file of paced.whenMoved) read(file);
      slowAtMs = performance.now();
    }
    // A limit that is met may be one that was set just now.
    const isLimited = eventStir.since(events.map(({ value }) => value));
    if (extent === 'whole' || hasNewLimit || isLimited) for (const file of paced.seldom) read(file);
    for (const file of options.further?.(extent) ?? []) read(file);
    if (!isNews) return;
    missing = files.missing();
    anyLost = files.anyLost();
  };
  return {
    version,
    pressureDirectory,
    read(wanted: ReadPace = 'all') {
      if (gone) return undefined;
      readPaced(pace.next(wanted), wanted === 'calm');
      // Controllers may be switched off below a cgroup that lives on, so a file that was lost is no proof.
      gone = (wanted === 'all' || anyLost) && !existsSync(directory);
      if (!gone) return { version, slowAtMs, missing, ...sample() };
      files.close();
      return undefined;
    },
    close: () => files.close(),
    [Symbol.dispose]: () => files.close(),
  };
}

/**
 * Whether one of some values is another than at the last look or the one before. Once more after they came to rest: or the rates of memory's
 * last motion would be shown until the next full read, and what follows upon a new limit would be missed. Values as `KeptFile` gives them:
 * the same object while the file's text is the same.
 */
class Stir {
  #before: readonly unknown[] = [];
  #moved = false;

  since(values: readonly unknown[]): boolean {
    const before = this.#before;
    const moved = values.length !== before.length || values.some((value, at) => value !== before[at]);
    const stirred = moved || this.#moved;
    this.#before = values;
    this.#moved = moved;
    return stirred;
  }
}
