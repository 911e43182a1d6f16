import type { AttachPlan, ByteReader, Refused } from './types.ts';
export function planAttach(_reader: ByteReader): AttachPlan | Refused {
  return { kind: 'refused', reason: 'not-elf', message: 'not an ELF file' };
}
