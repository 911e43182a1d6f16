/** Events that wait for a processor, as the bytes that they will allocate: a program's latency is the time until they are worked off. */
import { BEAT_SECONDS, PROGRAM_SECONDS_PER_BYTE } from './constants.ts';
import type { Load } from './load.ts';

/** A full mailbox sheds what is older. */
const MOST_SECONDS = 2;
const FEWEST_PROCESSORS = 0.1;

export class Mailbox {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Part of it evenly, part of it in beats. @param now at the end of so many seconds */
  arrive({ allocBytesPerSecond, beatShare }: Load, now: number, seconds: number): void {
    const beats = Math.floor(now / BEAT_SECONDS) - Math.floor((now - seconds) / BEAT_SECONDS);
    const evenly = (1 - beatShare) * seconds;
    this.#bytes += allocBytesPerSecond * (evenly + beatShare * BEAT_SECONDS * beats);
    this.#bytes = Math.min(this.#bytes, MOST_SECONDS * allocBytesPerSecond);
  }

  workedOff(bytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  /** Until the last one has its turn, were no collection in between. */
  delaySeconds({ processors }: Load): number {
    return (PROGRAM_SECONDS_PER_BYTE * this.#bytes) / Math.max(FEWEST_PROCESSORS, processors);
  }
}
