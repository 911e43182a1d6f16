import { readTextFile } from '../text-file.ts';

/** Reads the files of one sample and remembers what was not there. */
export class SampleFiles {
  readonly missing: string[] = [];

  /** The file parsed, or null: then `missing` has its name and why. */
  read<T>(directory: string | null, file: string, parse: (text: string) => T | undefined): T | null {
    if (directory === null) return this.#lack(file, 'no such hierarchy');
    const read = readTextFile(`${directory}/${file}`);
    if (!read.ok) return this.#lack(file, read.code);
    return parse(read.text) ?? this.#lack(file, 'not understood');
  }

  lacks(what: string, why: string): null {
    return this.#lack(what, why);
  }

  #lack(what: string, why: string): null {
    this.missing.push(`${what} (${why})`);
    return null;
  }
}
