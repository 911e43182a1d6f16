const atNull = 0;
const atEntry = 9;
const wordBytes = 8;

/**
 * `AT_ENTRY` of `/proc/PID/auxv`: where the program's entry lies in the running process, its interpreter's aside (getauxval(3)).
 * Less the link-time entry it is the distance that ASLR has moved the program. Undefined when the vector has none.
 */
export function entryOf(auxv: Buffer): number | undefined {
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes) {
    const type = auxv.readBigUInt64LE(at);
    if (type === BigInt(atNull)) return undefined;
    if (type === BigInt(atEntry)) return Number(auxv.readBigUInt64LE(at + wordBytes));
  }
  return undefined;
}
