/** When a program's threads had no processor though they could have used one, by the kernel's own scheduler events (tracepoint sched_switch). */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './ground.ts';

interface Absence {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Records from its construction on, for programs whose name begins so, in a trace instance of its own. */
export class OffCpu implements Disposable {
  readonly #tracefs = temporaryFolder('tracefs');
  readonly #instance: string;
  readonly #event: string;
  readonly #absences = new Map<number, Absence[]>();

  constructor(program: string) {
    execFileSync('mount', ['-t', 'tracefs', 'tracefs', this.#tracefs]);
    this.#instance = join(this.#tracefs, 'instances', `robotgc_${process.pid}`);
    this.#event = join(this.#instance, 'events/sched/sched_switch');
    mkdirSync(this.#instance);
    this.#set('trace_clock', 'mono');
    this.#set('buffer_size_kb', '32768');
    writeFileSync(join(this.#event, 'filter'), `prev_comm ~ "${program}*" || next_comm ~ "${program}*"`);
    writeFileSync(join(this.#event, 'enable'), '1');
  }

  /** Ends the recording. */
  stop(): void {
    writeFileSync(join(this.#event, 'enable'), '0');
    for (const cpu of readdirSync(join(this.#instance, 'per_cpu'))) {
      const stats = readFileSync(join(this.#instance, 'per_cpu', cpu, 'stats'), 'utf8');
      if (!/^overrun: 0$/m.test(stats)) throw new Error(`the kernel dropped scheduler events of ${cpu}: ${stats}`);
    }
    const left = new Map<number, number>();
    const line = / (\d+\.\d+): sched_switch: .*prev_pid=(\d+) .*==> .*next_pid=(\d+) /;
    for (const text of readFileSync(join(this.#instance, 'trace'), 'utf8').split('\n')) {
      const [, at = '', from = '', to = ''] = line.exec(text) ?? [];
      if (at === '') continue;
      const atNs = Math.round(Number(at) * 1e9);
      left.set(Number(from), atNs);
      const fromNs = left.get(Number(to));
      if (fromNs !== undefined) this.#of(Number(to)).push({ fromNs, toNs: atNs });
    }
  }

  /** How long this thread was off the processors between two moments of CLOCK_MONOTONIC. */
  between(tid: number, startNs: number, endNs: number): number {
    return this.#of(tid).reduce(
      (sum, { fromNs, toNs }) => sum + Math.max(0, Math.min(toNs, endNs) - Math.max(fromNs, startNs)),
      0,
    );
  }

  [Symbol.dispose](): void {
    rmdirSync(this.#instance);
    execFileSync('umount', [this.#tracefs]);
  }

  #of(tid: number): Absence[] {
    const known = this.#absences.get(tid) ?? [];
    this.#absences.set(tid, known);
    return known;
  }

  #set(file: string, value: string): void {
    writeFileSync(join(this.#instance, file), value);
  }
}
