/** For each processor, how its programs are built and what `go tool objdump` shows of them. */
import type { Processor } from '../types.ts';
import { supportedToolchains, type Variant, variants } from './go-toolchain.ts';

export interface Listing {
  readonly processor: Processor;
  readonly env: Readonly<Record<string, string>>;
  readonly variants: readonly Variant[];
  /** The instruction to probe at an entry: the first of its kind. */
  readonly entry: RegExp;
  readonly jump: RegExp;
  readonly nop: RegExp;
  /** Hexadecimal digits of an instruction that do not depend on where data lies. */
  readonly fixedDigits: number;
}

export const listings: readonly Listing[] = [
  {
    processor: 'amd64',
    env: {},
    variants,
    entry: /^PUSHQ BP$/,
    jump: /^J[A-Z]+ /,
    nop: /^NOP|^XCHGL AX, AX/,
    fixedDigits: 2,
  },
  {
    // Go's own linker makes them here; C for arm64 needs a compiler of its own.
    processor: 'arm64',
    env: { GOARCH: 'arm64' },
    variants: variants.filter(({ cgo, name }) => !cgo && !name.startsWith('trimpath')),
    entry: /^(MOVD\.W R30, -\d+\(RSP\)|SUB \$.*, RSP, R20)$/,
    jump: /^(B(EQ|NE|HS|CS|LO|CC|MI|PL|VS|VC|HI|LS|GE|LT|GT|LE)|CBN?ZW?|TBN?Z|JMP) (?!.*SB)/,
    nop: /^NOOP/,
    fixedDigits: 8,
  },
];

/** Every version on every processor, for `describe.each`. */
export const matrix: readonly { readonly version: string; readonly listing: Listing; readonly name: string }[] =
  listings.flatMap((listing) =>
    supportedToolchains.map((version) => ({ version, listing, name: `go${version} ${listing.processor}` })),
  );
