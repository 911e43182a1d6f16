import { keptFileBudget } from '../descriptor-budget.ts';
import { KeptFile } from '../kept-file.ts';

/** All files of one cgroup, and what of them is not there. */
export class CgroupFiles {
  readonly #files: KeptFile<unknown>[] = [];
  readonly #never: readonly string[];
  #missing: readonly string[] = [];

  /** @param never what this version of cgroups does not have at all, with why */
  constructor(never: readonly string[] = []) {
    this.#never = never;
    this.#missing = never;
  }

  add<T>(directory: string | null, name: string, parse: (text: string) => T | undefined): KeptFile<T> {
    const path = directory === null ? null : `${directory}/${name}`;
    const file = new KeptFile(name, path, { parse, budget: keptFileBudget });
    this.#files.push(file);
    return file;
  }

  /** Files without a value and why. The same array while nothing changed. */
  missing(): readonly string[] {
    const now = [...this.#never];
    for (const { name, problem } of this.#files) if (problem !== null) now.push(`${name} (${problem})`);
    const same = now.length === this.#missing.length && now.every((what, index) => what === this.#missing[index]);
    if (!same) this.#missing = now;
    return this.#missing;
  }

  /** True when a file that could be read cannot be read now: the cgroup may have gone. */
  anyLost(): boolean {
    return this.#files.some((file) => file.lost);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
