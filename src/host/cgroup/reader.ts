/** What the readers of both versions share: opened files that are read at their pace until the cgroup has gone. */
import { existsSync } from 'node:fs';
import type { CgroupReader, CgroupSample, ReadPace } from '../types.ts';
import type { CgroupFiles } from './files.ts';
import { Pace } from './pace.ts';

export interface ReaderOptions {
  readonly version: CgroupReader['version'];
  readonly pressureDirectory: string | null;
  /** While it exists, so does the cgroup. */
  readonly directory: string;
  readonly files: CgroupFiles;
  /** Reads the files; the slow ones, and those that could not be opened, only when it is a full read. @param calm see `ReadPace` */
  readonly sample: (full: boolean, calm: boolean) => CgroupSample;
}

export function cgroupReader({ version, pressureDirectory, directory, files, sample }: ReaderOptions): CgroupReader {
  const pace = new Pace();
  let gone = false;
  return {
    version,
    pressureDirectory,
    read(wanted: ReadPace = 'all') {
      if (gone) return undefined;
      const full = pace.isFull(wanted);
      const read = sample(full, wanted === 'calm');
      // Controllers may be switched off below a cgroup that lives on, so a file that was lost is no proof.
      gone = (wanted === 'all' || files.anyLost()) && !existsSync(directory);
      if (!gone) return read;
      files.close();
      return undefined;
    },
    close: () => files.close(),
    [Symbol.dispose]: () => files.close(),
  };
}

/**
 * Whether memory moved since the last look or the one before: then the files that are mostly read slowly are read at once. Once more after
 * it came to rest, or the rates of its last motion would be shown until the next full read.
 */
export class Stir {
  #pressure: unknown;
  #events: unknown;
  #moved = false;

  /** Values as `KeptFile` gives them: the same object while the file's text is the same. */
  since(pressureTotalNs: number | undefined, events: unknown): boolean {
    const moved = pressureTotalNs !== this.#pressure || events !== this.#events;
    this.#pressure = pressureTotalNs;
    this.#events = events;
    const stirred = moved || this.#moved;
    this.#moved = moved;
    return stirred;
  }
}
