import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOffset, parseElf } from '../elf/elf.ts';
import { bytesReader } from '../reader.ts';
import { gnuDisassemble } from '../testing/gnu-objdump.ts';
import { buildRobot, has, runGo, supportedToolchains, whyNoToolchain } from '../testing/go-toolchain.ts';
import { ReadBudget, Window } from '../window.ts';
import { decode } from './decode.ts';

const missing = whyNoToolchain() ?? (has('objdump', '--version') ? undefined : 'no GNU objdump');

/** Decodes every function of a program and compares each instruction's start, and each RET, with GNU objdump. */
async function compareWhole(file: string): Promise<{ instructions: number; differences: string[] }> {
  const bytes = readFileSync(file);
  const elf = parseElf(new Window(bytesReader(bytes), new ReadBudget(1e9)));
  const differences: string[] = [];
  let instructions = 0;
  for await (const fn of gnuDisassemble(file)) {
    const offset = fileOffset(elf, fn.address);
    if (fn.bad || offset === undefined) continue;
    const returns = new Set(fn.returns);
    let at = 0;
    for (const start of fn.starts) {
      const instruction = decode(bytes, offset + at);
      const agrees =
        start - fn.address === at &&
        instruction !== undefined &&
        (instruction.flow.kind === 'return') === returns.has(start);
      if (!agrees) {
        differences.push(`${fn.symbol} at 0x${start.toString(16)}`);
        break;
      }
      at += instruction.length;
      instructions++;
    }
  }
  return { instructions, differences };
}

describe.skipIf(missing !== undefined)(
  `every instruction of real programs${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('of the go command: compiled code, and hand-written AVX2 and AVX-512 of its cryptography', async () => {
      const go = join(runGo('1.26.8', ['env', 'GOROOT']).trim(), 'bin', 'go');
      const { instructions, differences } = await compareWhole(go);
      expect(differences).toEqual([]);
      expect(instructions).toBeGreaterThan(1_000_000);
    });

    it.each(supportedToolchains)('of a program of go%s with C in it', async (version) => {
      const { instructions, differences } = await compareWhole(
        buildRobot(version, { name: 'cgo', flags: [], cgo: true }),
      );
      expect(differences).toEqual([]);
      expect(instructions).toBeGreaterThan(80_000);
    });

    it('and random bytes: where both know the instruction, its length is the same', () => {
      const slots = 20_000;
      const slotBytes = 32;
      const bytes = new Uint8Array(slots * slotBytes).fill(0x90);
      const lively = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x64, 0x0f, 0xc5, 0xc4, 0x62, 0x48, 0x41, 0x4c, 0xff, 0xf6, 0xf7];
      const random = randomFrom(20260101);
      for (let slot = 0; slot < slots; slot++) {
        const prefixes = random(3);
        for (let i = 0; i < 15; i++)
          bytes[slot * slotBytes + i] = i < prefixes ? (lively[random(lively.length)] ?? 0) : random(256);
      }
      const lengths = objdumpLengths(bytes);
      const differences: string[] = [];
      let compared = 0;
      for (let at = 0; at < bytes.length; at += slotBytes) {
        const theirs = lengths.get(at);
        const ours = decode(bytes, at);
        // 9B: objdump shows the next instruction with it.
        if (theirs === undefined || ours === undefined || bytes.subarray(at, at + 4).includes(0x9b)) continue;
        compared++;
        if (ours.length !== theirs) differences.push(Buffer.from(bytes.subarray(at, at + 15)).toString('hex'));
      }
      expect(differences).toEqual([]);
      expect(compared).toBeGreaterThan(slots / 2);
    });
  },
);

/** Length of what GNU objdump knows at each address; invalid bytes and lone prefixes are left out. */
function objdumpLengths(bytes: Uint8Array): Map<number, number> {
  const directory = mkdtempSync(join(tmpdir(), 'robotgc-decode-'));
  try {
    const file = join(directory, 'code');
    writeFileSync(file, bytes);
    const args = ['-D', '-w', '-z', '--insn-width=16', '-b', 'binary', '-mi386:x86-64', file];
    const lengths = new Map<number, number>();
    const text = execFileSync('objdump', args, { encoding: 'utf8', maxBuffer: 1 << 30 });
    const lone = /\(bad\)|^((rex|repz|repnz|data16|addr32|lock|[c-gs]s)[.A-Z]*\s*)+$|^\.byte|^$/;
    for (const [, address = '', shown = '', mnemonic = ''] of text.matchAll(
      /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/gm,
    )) {
      if (!lone.test(mnemonic)) lengths.set(Number.parseInt(address, 16), shown.trim().split(' ').length);
    }
    return lengths;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A small repeatable generator (xorshift32): values below `n`. */
function randomFrom(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}
