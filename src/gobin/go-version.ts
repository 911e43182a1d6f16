import type { ByteReader, GoVersionResult } from './types.ts';
export function goVersion(_reader: ByteReader): GoVersionResult {
  return { kind: 'refused', reason: 'not-elf', message: 'not an ELF file' };
}
