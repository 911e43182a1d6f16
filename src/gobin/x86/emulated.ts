/**
 * Instructions that the kernel emulates at a uprobe instead of single-stepping them out of line (arch/x86/kernel/uprobes.c,
 * branch_setup_xol_ops): a hit costs about a tenth.
 */

/** Jcc and JMP with 8 or 32 bits of displacement, without prefixes: emulated by Linux since 3.16. */
export function isEmulatedJump(code: Uint8Array, at: number): boolean {
  const first = code[at] ?? 0;
  const second = code[at + 1] ?? 0;
  return (
    (first >= 0x70 && first <= 0x7f) ||
    first === 0xeb ||
    first === 0xe9 ||
    (first === 0x0f && second >= 0x80 && second <= 0x8f)
  );
}
