/** Windows as a bundle holds them. Pure. */
import { SignalWindow } from '../../model/index.ts';

/** A hostile or damaged line is left out: the manifest proves who wrote it, not that it is sense. */
export function readWindows(file: Uint8Array | undefined): SignalWindow[] {
  const windows: SignalWindow[] = [];
  for (const line of new TextDecoder().decode(file).split('\n')) {
    const window = SignalWindow.safeParse(parseJson(line));
    if (window.success) windows.push(window.data);
  }
  return windows;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
