/** The kernel's own figures of a cgroup, read plainly and often, with the time of each reading. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface KernelReading {
  /** Wall clock before and after the files were read, ms since 1970. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly current: number;
  readonly peak: number;
  readonly swap: number;
  /** null = max. */
  readonly max: number | null;
  readonly high: number | null;
  readonly events: Readonly<Record<string, number>>;
  readonly eventsLocal: Readonly<Record<string, number>>;
  readonly stat: Readonly<Record<string, number>>;
  readonly someUs: number;
  readonly fullUs: number;
  readonly cpu: Readonly<Record<string, number>>;
}

/** Between two plain readings only the pressure is read, as often: its beginning is what is timed. */
export interface PressureReading {
  readonly atMs: number;
  readonly someUs: number;
}

export class KernelFiles {
  readonly readings: KernelReading[] = [];
  readonly pressure: PressureReading[] = [];
  readonly #directory: string;
  #going = true;
  #loop: Promise<void> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#loop;
  }

  now(): KernelReading {
    const fromMs = wallMs();
    const reading = {
      current: Number(this.#text('memory.current')),
      peak: Number(this.#text('memory.peak')),
      swap: Number(this.#text('memory.swap.current')),
      max: limit(this.#text('memory.max')),
      high: limit(this.#text('memory.high')),
      events: keyed(this.#text('memory.events')),
      eventsLocal: keyed(this.#text('memory.events.local')),
      stat: keyed(this.#text('memory.stat')),
      someUs: this.#totalUs('some'),
      fullUs: this.#totalUs('full'),
      cpu: keyed(this.#text('cpu.stat')),
    };
    return { fromMs, ...reading, untilMs: wallMs() };
  }

  /** Until it is stopped, or the cgroup is gone. */
  async #run(): Promise<void> {
    try {
      for (let round = 0; this.#going; round++) {
        if (round % 5 === 0) this.readings.push(this.now());
        this.pressure.push({ atMs: wallMs(), someUs: this.#totalUs('some') });
        await sleep(20);
      }
    } catch (error) {
      await sleep(100); // its files go before it does
      if (existsSync(this.#directory)) throw error;
    }
  }

  #totalUs(line: string): number {
    const found = this.#text('memory.pressure')
      .split('\n')
      .find((each) => each.startsWith(line));
    return Number(found?.split('total=')[1]);
  }

  #text(name: string): string {
    return readFileSync(join(this.#directory, name), 'utf8');
  }
}

/** Like Date.now(), with fractions. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

function limit(text: string): number | null {
  return text.trim() === 'max' ? null : Number(text);
}

/** Of lines `name value`. */
export function keyed(text: string): Record<string, number> {
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), Number(line.slice(line.indexOf(' ') + 1))]),
  );
}
