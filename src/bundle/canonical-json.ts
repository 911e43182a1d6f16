/** JSON with keys in byte order, no insignificant space, one newline at the end: one value has one text. */
export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(value, sortKeys)}\n`;
}

/** The same order, indented for people; used for the manifest, which they open first. */
export function readableJson(value: unknown): string {
  return `${JSON.stringify(value, sortKeys, 2)}\n`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
