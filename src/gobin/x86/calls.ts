import type { CallReader, CodeAround, GlobalLoad } from '../code/calls.ts';
import { refuse } from '../refusal.ts';

const callOpcode = 0xe8;
const callBytes = 5;
const displacementBytes = 4;
/** Of real code one byte in 44 at the densest (any 256 KiB of etcd, kube-apiserver and containerd). */
const leastBytesEach = 8;

/** Opcodes that end in a displacement from RIP; Go's register ABI says which register holds which integer argument. */
const loads: Readonly<Record<GlobalLoad, readonly number[]>> = {
  /** LEAQ global(SB), AX. */
  receiver: [0x48, 0x8d, 0x05],
  /** MOVZX global(SB), DI. */
  fourthByte: [0x0f, 0xb6, 0x3d],
};
/** Between the load and the CALL stand the loads of at most two or three further arguments. */
const lookBackBytes = 40;

export const x86Calls: CallReader = { forEachCall, loadedBefore };

/** `CALL rel32`. */
function forEachCall({ code, view }: CodeAround, tell: (at: number, target: number) => void): void {
  let left = code.length / leastBytesEach;
  for (
    let at = code.indexOf(callOpcode);
    at >= 0 && at + callBytes <= code.length;
    at = code.indexOf(callOpcode, at + 1)
  ) {
    if (--left < 0) refuse('unexpected-code', 'what should be code is hardly anything but the bytes of calls');
    tell(at, at + callBytes + view.getInt32(at + 1, true));
  }
}

function loadedBefore({ code, view }: CodeAround, call: number, load: GlobalLoad): number | undefined {
  const opcode = loads[load];
  const loadBytes = opcode.length + displacementBytes;
  for (let at = call - loadBytes; at >= Math.max(0, call - lookBackBytes); at--) {
    if (opcode.every((byte, i) => code[at + i] === byte))
      return at + loadBytes + view.getInt32(at + opcode.length, true);
  }
  return undefined;
}
