import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';

const encoder = new TextEncoder();
const stepBytes = 128 * 1024;
/** Far above what real programs have (kube-apiserver: 0.2 million strings in 15 MB); a table of nothing but NULs is refused by them in time. */
const maxTableBytes = 64 * 1024 * 1024;
const maxStrings = 1_000_000;

/**
 * Where the wanted NUL-terminated strings are in a string table: name → offsets from the table's start.
 * Tails of longer strings count too, because linkers merge equal tails.
 */
export function findStrings(
  file: Window,
  table: { readonly offset: number; readonly size: number },
  wanted: readonly string[],
  stopWhenAllSeen: boolean,
): Map<string, number[]> {
  const needles = wanted.map((name) => ({ name, bytes: encoder.encode(name) }));
  const byLastByte = new Map<number, typeof needles>();
  for (const needle of needles) {
    const last = needle.bytes[needle.bytes.length - 1] ?? 0;
    byLastByte.set(last, [...(byLastByte.get(last) ?? []), needle]);
  }
  const longest = Math.max(...needles.map((n) => n.bytes.length));
  const found = new Map<string, number[]>();

  if (table.size > maxTableBytes) refuse('too-large', `a table of ${table.size} bytes of names`);
  let strings = 0;
  // Steps overlap by the longest needle, so that one that crosses a border is seen whole in the second step.
  for (let from = 0; from < table.size; from += stepBytes) {
    const start = Math.max(0, from - longest - 1);
    const end = Math.min(table.size, from + stepBytes);
    const bytes = file.bytes(table.offset + start, end - start);
    for (let nul = bytes.indexOf(0, from - start); nul >= 0; nul = bytes.indexOf(0, nul + 1)) {
      if (++strings > maxStrings) refuse('too-large', `a table of more than ${maxStrings} names`);
      const candidates = byLastByte.get(bytes[nul - 1] ?? 0);
      if (candidates === undefined) continue;
      for (const { name, bytes: needle } of candidates) {
        const at = nul - needle.length;
        if (at >= 0 && equalAt(bytes, at, needle)) found.set(name, [...(found.get(name) ?? []), start + at]);
      }
    }
    if (stopWhenAllSeen && found.size === needles.length) break;
  }
  return found;
}

function equalAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = needle.length - 1; i >= 0; i--) {
    if (bytes[at + i] !== needle[i]) return false;
  }
  return true;
}
