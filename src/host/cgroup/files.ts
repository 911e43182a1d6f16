import { keptFileBudget } from '../descriptor-budget.ts';
import { KeptFile } from '../kept-file.ts';
import type { MissingFile } from '../types.ts';

/** All files of one cgroup, and what of them is not there. */
export class CgroupFiles {
  readonly #files: KeptFile<unknown>[] = [];
  readonly #never: readonly MissingFile[];
  #missing: readonly MissingFile[] = [];

  /** @param never what this version of cgroups does not have at all, with why */
  constructor(never: readonly MissingFile[] = []) {
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
  missing(): readonly MissingFile[] {
    const now = [...this.#never];
    for (const { name, problem } of this.#files) if (problem !== null) now.push({ name, problem });
    if (!isSame(now, this.#missing)) this.#missing = now;
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

function isSame(some: readonly MissingFile[], others: readonly MissingFile[]): boolean {
  if (some.length !== others.length) return false;
  return some.every(({ name, problem }, at) => others[at]?.name === name && others[at]?.problem === problem);
}
