/** Lines for a reader that may be slow or asleep: what waits for it is bounded, and what was dropped is told once it reads again. */
export interface LineSink {
  write(line: string): unknown;
  /** Bytes that wait to be read. */
  readonly writableLength: number;
}

/** Some minutes of a busy program's pauses, cycles and windows. */
export const maxWaitingBytes = 4 * 1024 * 1024;

/** @param told writes down how many lines were dropped, through the same sink or another */
export function boundedLines(
  sink: LineSink,
  told: (lines: number) => void,
  maxBytes = maxWaitingBytes,
): (line: string) => void {
  let dropped = 0;
  return (line) => {
    // Not at once at the limit again: a reader that is a little too slow would be told of drops line by line.
    const limit = dropped > 0 ? maxBytes / 2 : maxBytes;
    if (sink.writableLength > limit) {
      dropped += 1;
      return;
    }
    if (dropped > 0) told(dropped);
    dropped = 0;
    sink.write(line);
  };
}
