import fc from 'fast-check';
import { buildElf, buildInfoSection } from './build-elf.ts';
import { interestingOffsets, type Overlay } from './hostile.ts';

const sectionNames = [
  '.text',
  '.go.buildinfo',
  '.gopclntab',
  '.go.module',
  '.symtab',
  '.strtab',
  '.note.go.buildid',
  '.rela',
  '.data.rel.ro',
];
/** Bytes that mean something somewhere: the function table's magic, extreme numbers. */
const data = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((tail) => Uint8Array.from([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8, ...tail])),
  fc.constantFrom('go1.26.8', 'go1.22', 'go9.9').map((version) => buildInfoSection(version)),
);
const section = fc.record({
  name: fc.constantFrom(...sectionNames),
  type: fc.constantFrom(1, 2, 3, 4, 8),
  link: fc.nat(10),
  data,
});

/** Pure noise, and well-formed ELF files with noise in Go's sections. */
export const hostileFile: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 4096 }),
  fc.uint8Array({ maxLength: 500 }).map((tail) => Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, ...tail])),
  fc.array(section, { maxLength: 8 }).map((sections) => buildElf({ sections })),
);

/** Changes to a real program: mostly in its headers and at the start of its tables; sometimes cut off. */
export function mutation(program: Uint8Array): fc.Arbitrary<{ overlay: Overlay; size: number }> {
  const spots = interestingOffsets(program);
  const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
  const change = fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...spots), fc.nat(), byte)
        .map(([[at, length], n, value]) => [at + (n % Math.max(1, length)), value] as const),
    },
    { weight: 1, arbitrary: fc.tuple(fc.nat(program.length - 1), byte) },
  );
  return fc.record({
    overlay: fc.array(change, { minLength: 1, maxLength: 6 }),
    size: fc.oneof(
      { weight: 19, arbitrary: fc.constant(program.length) },
      { weight: 1, arbitrary: fc.nat(program.length) },
    ),
  });
}
