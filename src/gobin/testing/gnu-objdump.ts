import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Disassembled {
  readonly symbol: string;
  readonly address: number;
  /** Instruction start addresses, ascending. */
  readonly starts: number[];
  /** Those whose mnemonic is a plain `ret`. */
  readonly returns: number[];
  /** GNU objdump met bytes that it does not know. */
  bad: boolean;
}

/** Disassembles the .text section with GNU objdump, function by function. */
export async function* gnuDisassemble(file: string): AsyncGenerator<Disassembled> {
  const child = spawn('objdump', ['-d', '-w', '--insn-width=16', '-j', '.text', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let current: Disassembled | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const head = /^([0-9a-f]{16}) <(.*)>:$/.exec(line);
    if (head !== null) {
      if (current !== undefined) yield current;
      current = {
        symbol: head[2] ?? '',
        address: Number.parseInt(head[1] ?? '', 16),
        starts: [],
        returns: [],
        bad: false,
      };
      continue;
    }
    const instruction = /^\s*([0-9a-f]+):\t(?:[0-9a-f]{2} )+\s*\t(.*)$/.exec(line);
    if (instruction === null || current === undefined) continue;
    const start = Number.parseInt(instruction[1] ?? '', 16);
    const text = instruction[2] ?? '';
    current.starts.push(start);
    if (/^ret(q)?\s*$/.test(text)) current.returns.push(start);
    if (text.includes('(bad)')) current.bad = true;
  }
  if (current !== undefined) yield current;
}
