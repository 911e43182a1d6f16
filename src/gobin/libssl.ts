import { architectureOf } from './architecture.ts';
import { hex } from './code/function-body.ts';
import { type ElfFile, fileOffset, findSection, parseElf } from './elf/elf.ts';
import { findDynamicSymbols } from './elf/symbols.ts';
import { orRefused, refuse } from './refusal.ts';
import type { ByteReader, Refused } from './types.ts';
import { ReadBudget, Window } from './window.ts';

const readBudgetBytes = 64 * 1024 * 1024;
const checkBytes = 8;
const handshake = 'SSL_do_handshake';
const release = 'SSL_free';
const maxVersionBytes = 64;

/** Where OpenSSL performs handshakes in one shared object. */
export interface LibsslPlan {
  readonly kind: 'ok';
  /** Entry of `int SSL_do_handshake(SSL *)`: offset in the file; returns are for a uretprobe, C stacks do not move. */
  readonly offset: number;
  /** The bytes that stand there, lower-case hex. */
  readonly bytes: string;
  readonly symbol: typeof handshake;
  /** Link-time virtual address. */
  readonly address: number;
  /** Entry of `void SSL_free(SSL *)`: what was under way then has failed. */
  readonly release: { readonly offset: number; readonly bytes: string };
  /** Newest ABI version that the library defines, e.g. `OPENSSL_3.0.9`, `OPENSSL_1_1_1`, when it says so. */
  readonly abiVersion?: string;
}

/** Where to attach in a `libssl.so.3` or `libssl.so.1.1`, or why not. Errors of the reader (I/O) pass through. */
export function planLibssl(reader: ByteReader): LibsslPlan | Refused {
  return orRefused((): LibsslPlan => {
    const file = new Window(reader, new ReadBudget(readBudgetBytes));
    const elf = parseElf(file);
    if (!architectureOf(elf))
      refuse('unsupported-arch', 'a shared object for another processor: only amd64 and arm64 are supported');
    const symbols = findDynamicSymbols(elf, file, [handshake, release]);
    const entry = (name: string) => {
      const symbol = symbols?.get(name);
      if (symbol === undefined || symbol.address === 0) {
        refuse('function-not-found', `no function ${name} is exported: not OpenSSL's libssl`);
      }
      const { address } = symbol;
      const offset = fileOffset(elf, address, { executable: true });
      if (offset === undefined) {
        refuse('malformed', `${name} at 0x${address.toString(16)} is not in the executable part of the file`);
      }
      return { address, offset, bytes: hex(file.bytes(offset, checkBytes)) };
    };
    const { offset, bytes } = entry(release);
    const abiVersion = newestVersion(elf, file);
    return {
      kind: 'ok',
      ...entry(handshake),
      symbol: handshake,
      release: { offset, bytes },
      ...(abiVersion === undefined ? {} : { abiVersion }),
    };
  });
}

const maxStringBytes = 4 * 1024 * 1024;

/** Version definitions are strings of .dynstr such as `OPENSSL_3.0.9`; the newest in the order of their numbers. */
function newestVersion(elf: ElfFile, file: Window): string | undefined {
  const strings = findSection(elf, file, '.dynstr');
  if (strings === undefined || strings.size > maxStringBytes) return undefined;
  const text = new TextDecoder('latin1').decode(file.bytes(strings.offset, strings.size));
  const versions = text
    .split('\0')
    .filter((name) => /^OPENSSL_\d[\d._]*[a-z]?$/.test(name) && name.length < maxVersionBytes);
  return versions.sort((a, b) => compareNumbers(a, b)).at(-1);
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => (name.match(/\d+/g) ?? []).map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? -1) - (right?.[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
