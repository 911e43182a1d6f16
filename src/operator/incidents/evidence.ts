/** Windows and the heap's history as a bundle holds them. Pure. */
import type { z } from 'zod';
import { HeapPoint, SignalWindow } from '../../model/index.ts';

export const WINDOWS_FILE = 'signals.ndjson';
export const HEAP_HISTORY_FILE = 'heap-history.ndjson';

export function readWindows(file: Uint8Array | undefined): SignalWindow[] {
  return readLines(file, SignalWindow);
}

/** Of a bundle of an older agent: none. */
export function readHeapHistory(file: Uint8Array | undefined): HeapPoint[] {
  return readLines(file, HeapPoint);
}

/** A hostile or damaged line is left out: the manifest proves who wrote it, not that it is sense. */
function readLines<Line extends z.ZodType>(file: Uint8Array | undefined, line: Line): z.infer<Line>[] {
  return new TextDecoder()
    .decode(file)
    .split('\n')
    .flatMap((text) => {
      const parsed = line.safeParse(parseJson(text));
      return parsed.success ? [parsed.data] : [];
    });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
