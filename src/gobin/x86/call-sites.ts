import type { ElfFile } from '../elf/elf.ts';
import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';

/** The runtime's code is together; its functions that call each other are far less than this apart (its whole text is about 0.6 MB). */
const reachBytes = 2 * 1024 * 1024;
const callOpcode = 0xe8;
const callBytes = 5;
/** Of real code one byte in 44 at the densest (any 256 KiB of etcd, kube-apiserver and containerd). */
const leastBytesEach = 8;

/**
 * How many `CALL rel32` to an address there are around it. Bytes that look like one by chance would have to hit 32 bits exactly.
 *
 * Why it is asked: profile-guided optimisation (-pgo) inlines runtime functions at hot call sites. The function then still exists,
 * but what goes through the inlined copy passes the probe by: measurements would be too good, silently.
 */
export function countCallSites(elf: ElfFile, file: Window, address: number): number {
  const segment = elf.segments.find((s) => s.executable && address >= s.address && address < s.address + s.fileSize);
  if (segment === undefined) return 0;
  const from = Math.max(segment.address, address - reachBytes);
  const to = Math.min(segment.address + segment.fileSize, address + reachBytes);
  const code = file.upTo(segment.offset + (from - segment.address), to - from);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  let left = code.length / leastBytesEach;
  let count = 0;
  for (
    let at = code.indexOf(callOpcode);
    at >= 0 && at + callBytes <= code.length;
    at = code.indexOf(callOpcode, at + 1)
  ) {
    if (--left < 0) refuse('unexpected-code', 'what should be code is hardly anything but the bytes of calls');
    if (from + at + callBytes + view.getInt32(at + 1, true) === address) count++;
  }
  return count;
}
