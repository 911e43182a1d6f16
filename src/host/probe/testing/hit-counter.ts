/** How often instructions of a program are passed, counted by the kernel's own uprobe events (Documentation/trace/uprobetracer.rst). */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './ground.ts';

export interface CountedPoint {
  readonly point: string;
  /** In the file. */
  readonly offset: number;
}

/** Why nothing can be counted here, for a test's name; empty when it can. */
export function missingTracefs(): string {
  return /\ttracefs$/m.test(readFileSync('/proc/filesystems', 'utf8')) ? '' : ' (skipped: the kernel has no tracefs)';
}

/** Counts from its construction until it is disposed of, in a tracefs mounted for it alone. */
export class HitCounter implements Disposable {
  static #made = 0;
  readonly #tracefs = temporaryFolder('tracefs');
  /** Events are the whole machine's: a group of our own. */
  readonly #group = `robotgc_${process.pid}_${++HitCounter.#made}`;
  readonly #events: readonly string[];

  constructor(binary: string, points: readonly CountedPoint[]) {
    execFileSync('mount', ['-t', 'tracefs', 'tracefs', this.#tracefs]);
    this.#events = points.map(({ point }, i) => `${this.#group}_${point}_${i}`);
    for (const [i, { offset }] of points.entries()) {
      // Appended: opening for writing with truncation would remove everybody's events.
      this.#append(`p:${this.#group}/${this.#events[i]} ${binary}:0x${offset.toString(16)}`);
    }
    this.#enable('1');
  }

  /** Of all points of this name together. */
  hits(point: string): number {
    const profile = readFileSync(join(this.#tracefs, 'uprobe_profile'), 'utf8');
    const counts = [...profile.matchAll(/^\s*\S+\s+(\S+)\s+(\d+)/gm)].filter(([, name = '']) =>
      name.startsWith(`${this.#group}_${point}_`),
    );
    return counts.reduce((sum, [, , hits]) => sum + Number(hits), 0);
  }

  [Symbol.dispose](): void {
    this.#enable('0');
    for (const event of this.#events) this.#append(`-:${this.#group}/${event}`);
    execFileSync('umount', [this.#tracefs]);
  }

  #append(line: string): void {
    appendFileSync(join(this.#tracefs, 'uprobe_events'), `${line}\n`);
  }

  #enable(value: '0' | '1'): void {
    writeFileSync(join(this.#tracefs, 'events', this.#group, 'enable'), value);
  }
}
