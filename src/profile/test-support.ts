import { Profile, StringTable } from 'pprof-format';

/** Encodes a profile by the library: stacks are innermost first. */
export function encodeProfile(
  types: readonly (readonly [string, string])[],
  rows: readonly { stack: readonly string[]; values: readonly (number | bigint)[] }[],
): Uint8Array {
  const stringTable = new StringTable();
  const ids = new Map<string, number>();
  const idOf = (name: string): number => {
    const id = ids.get(name) ?? ids.size + 1;
    ids.set(name, id);
    return id;
  };
  const sample = rows.map(({ stack, values }) => ({ locationId: stack.map(idOf), value: [...values] }));
  const names = [...ids].map(([name, id]) => ({ id, name: stringTable.dedup(name) }));
  return new Profile({
    stringTable,
    sampleType: types.map(([type, unit]) => ({ type: stringTable.dedup(type), unit: stringTable.dedup(unit) })),
    sample,
    location: names.map(({ id }) => ({ id, line: [{ functionId: id, line: id * 10 }] })),
    function: names.map(({ id, name }) => ({ id, name, filename: name })),
    timeNanos: 1_772_000_000_000_000_000n,
    durationNanos: 10_000_000_000n,
    period: 10_000_000,
  }).encode();
}

export const cpuTypes = [
  ['samples', 'count'],
  ['cpu', 'nanoseconds'],
] as const;
