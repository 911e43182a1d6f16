/**
 * Cuts a byte stream into lines of bounded length. A longer line is dropped whole and counted, so that a
 * peer gone wrong costs at most `maxBytes` of memory.
 */
export class LineSplitter {
  /** Lines dropped because they were longer than allowed. */
  tooLong = 0;
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #dropping = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` completes, without their newline; invalid UTF-8 becomes U+FFFD. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let newline = chunk.indexOf(10); newline !== -1; newline = chunk.indexOf(10, from)) {
      // Nearly all lines come whole.
      if (!this.#dropping && this.#heldBytes === 0 && newline - from <= this.#maxBytes) {
        lines.push(chunk.toString('utf8', from, newline));
      } else {
        this.#hold(chunk.subarray(from, newline));
        if (!this.#dropping) lines.push(this.#take());
        this.#dropping = false;
      }
      from = newline + 1;
    }
    this.#hold(chunk.subarray(from));
    return lines;
  }

  #hold(part: Buffer): void {
    if (this.#dropping || part.length === 0) return;
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= this.#maxBytes) return;
    this.#take();
    this.#dropping = true;
    this.tooLong += 1;
  }

  #take(): string {
    const line = Buffer.concat(this.#held).toString('utf8');
    this.#held = [];
    this.#heldBytes = 0;
    return line;
  }
}
