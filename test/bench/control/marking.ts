/** The mark phase of one collection: what is left to scan, credit that background workers gave, and what it cost. */
import * as c from './constants.ts';
import { BACKGROUND_UTILIZATION } from './pacer.ts';

export interface MarkingStart {
  readonly beganAt: number;
  readonly triggeredBytes: number;
  readonly scanBytes: number;
  readonly secondsPerByte: number;
  /** Of the stop of the world with which it begins. */
  readonly pauseSeconds: number;
}

export class Marking {
  readonly start: MarkingStart;
  #scannedBytes = 0;
  #creditBytes = 0;
  #gcSeconds: number;
  #assistSeconds = 0;
  #idleSeconds = 0;

  constructor(start: MarkingStart) {
    this.start = start;
    this.#gcSeconds = start.pauseSeconds;
  }

  get leftBytes(): number {
    return this.start.scanBytes - this.#scannedBytes;
  }

  get isOver(): boolean {
    return this.#scannedBytes >= this.start.scanBytes;
  }

  get creditBytes(): number {
    return this.#creditBytes;
  }

  /** CPU; idle workers apart. */
  get seconds(): { readonly gc: number; readonly assist: number; readonly idle: number } {
    return { gc: this.#gcSeconds, assist: this.#assistSeconds, idle: this.#idleSeconds };
  }

  /** The collector's own workers. */
  background(seconds: number): void {
    this.#scan(seconds);
    this.#gcSeconds += seconds;
  }

  /** Processors that the program leaves. */
  idle(leftSeconds: number, seconds: number): void {
    const idle = Math.min(leftSeconds, (1 - BACKGROUND_UTILIZATION) * c.PROCESSORS * seconds);
    if (idle > 0) this.#idleSeconds += this.#scan(idle);
  }

  spendCredit(bytes: number): void {
    this.#creditBytes -= bytes;
  }

  /** By who allocates. @returns CPU seconds taken */
  assist(bytes: number): number {
    const seconds = bytes * this.start.secondsPerByte;
    this.#scannedBytes += bytes;
    this.#assistSeconds += seconds;
    this.#gcSeconds += seconds;
    return seconds;
  }

  /** For so long at most, as credit for those who allocate. @returns CPU seconds taken */
  #scan(seconds: number): number {
    const { secondsPerByte } = this.start;
    const bytes = Math.min(seconds / secondsPerByte, this.leftBytes);
    this.#scannedBytes += bytes;
    this.#creditBytes += bytes;
    return bytes * secondsPerByte;
  }
}
