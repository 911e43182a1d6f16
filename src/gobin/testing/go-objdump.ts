import type { Processor } from '../types.ts';
import { runGo } from './go-toolchain.ts';

export interface Line {
  readonly sourceLine: number;
  readonly address: number;
  readonly bytes: string;
  readonly text: string;
}

/** One function of a program as `go tool objdump` of its own version shows it; all of them where none is named. */
export function goObjdump(
  version: string,
  file: string,
  symbol: string | undefined,
  processor: Processor = 'amd64',
): Line[] {
  const which = symbol === undefined ? [] : ['-s', `^${symbol.replace(/[.*()]/g, '\\$&')}$`];
  const lines: Line[] = [];
  for (const line of runGo(version, ['tool', 'objdump', ...which, file]).split('\n')) {
    const match = /^\s+\S+:(\d+)\s+0x([0-9a-f]+)\s+([0-9a-f]+)\s+(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const [, sourceLine, address = '', shown = '', text = ''] = match;
    const bytes = inFile(shown, processor);
    lines.push({ sourceLine: Number(sourceLine), address: Number.parseInt(address, 16), bytes, text });
  }
  return lines;
}

/** arm64's instructions are shown as numbers. */
function inFile(shown: string, processor: Processor): string {
  return processor === 'arm64' ? Buffer.from(shown, 'hex').reverse().toString('hex') : shown;
}

/** Address and size by `go tool nm`. */
export function goNm(version: string, file: string): Map<string, { address: number; size: number }> {
  const symbols = new Map<string, { address: number; size: number }>();
  for (const line of runGo(version, ['tool', 'nm', '-size', file]).split('\n')) {
    const match = /^\s*([0-9a-f]+)\s+(\d+)\s+\S\s+(.*)$/.exec(line);
    if (match !== null)
      symbols.set(match[3] ?? '', { address: Number.parseInt(match[1] ?? '', 16), size: Number(match[2]) });
  }
  return symbols;
}
