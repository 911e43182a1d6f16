import { describe, expect, it } from 'vitest';
import type { Flow } from '../code/instruction.ts';
import { goObjdump, type Line } from '../testing/go-objdump.ts';
import { buildOnce, supportedToolchains, testdata, whyNoToolchain } from '../testing/go-toolchain.ts';
import { decode } from './decode.ts';
import { operands } from './operands.ts';

const missing = whyNoToolchain();
const env = { GOARCH: 'arm64', CGO_ENABLED: '0' };

const branch = /^(B(EQ|NE|HS|CS|LO|CC|MI|PL|VS|VC|HI|LS|GE|LT|GT|LE)|CBN?ZW?|TBN?Z)$/;

/** What the listing says of an instruction's way; undefined where Go's disassembler does not know it. */
function flowIn(text: string, at: number): Partial<Flow> | undefined {
  const [, mnemonic = '', distance] = /^(\S+)(?:.*?(-?\d+)\(PC\))?/.exec(text) ?? [];
  const target = distance === undefined ? {} : { target: at + 4 * Number(distance) };
  if (mnemonic === '?') return undefined;
  if (mnemonic === 'RET') return { kind: text === 'RET' ? 'return' : 'foreign' };
  if (mnemonic === 'BRK') return { kind: 'trap' };
  if (mnemonic === 'CALL') return { kind: 'call', ...(/^CALL \(R\d+\)/.test(text) ? { target: null } : target) };
  if (mnemonic === 'JMP') return /^JMP \(R\d+\)/.test(text) ? { kind: 'indirectJump' } : { kind: 'jump', ...target };
  return branch.test(mnemonic) ? { kind: 'branch', ...target } : { kind: 'next' };
}

/** Loads of constants in the code, and what is no instruction, are refused instead. */
const isRefused = (text: string): boolean => /^(\?|.* \d+\(PC\), [RFV]\d+$)/.test(text);

const readsOnly = /^(CMP|CMN|CCMP|CCMN|TST|CBN?ZW?|TBN?Z|CALL|JMP|RET|MSR|PRFM|TLBI|DC |IC )/;

/** Whether a general register that the listing names as the last, or as one of the last pair, would be missed. */
function missesWrite({ text, bytes }: Line): boolean {
  if (readsOnly.test(text)) return false;
  const named = /, (?:\(R(\d+), R(\d+)\)|R(\d+))$/.exec(text)?.slice(1) ?? [];
  const { writes } = operands(Buffer.from(bytes, 'hex'), 0);
  return named.some((number) => number !== undefined && writes !== 'any' && !writes.has(Number(number)));
}

describe.skipIf(missing !== undefined)(
  `every instruction of real programs for arm64${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it.each(supportedToolchains)(
      'of a TLS client and server of go%s',
      (version) => {
        const lines = goObjdump(version, buildOnce(version, `${testdata}tls`, 'tls', [], env), undefined, 'arm64');
        const differences: string[] = [];
        for (const line of lines) {
          const instruction = decode(Buffer.from(line.bytes, 'hex'), 0);
          const flow = flowIn(line.text, 0);
          const agrees =
            instruction === undefined || flow === undefined
              ? isRefused(line.text)
              : Object.entries(flow).every(([key, value]) => instruction.flow[key as keyof Flow] === value);
          if (!agrees || missesWrite(line)) differences.push(`${line.bytes} ${line.text}`);
        }
        expect([...new Set(differences)].slice(0, 40)).toEqual([]);
        expect(lines.length).toBeGreaterThan(300_000);
      },
      600_000,
    );
  },
);
