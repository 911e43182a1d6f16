/** Where in a YAML file a field stands. */
import { type Document, isMap, isNode, isPair, isScalar, isSeq, type LineCounter } from 'yaml';
import type { Path } from '../../api/index.ts';

export interface Position {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** The field itself, by its key; where it is missing, the nearest field around it. */
export function locate(document: Document, path: Path, lines: LineCounter): Position {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : (document.range?.[0] ?? 0);
  for (const step of path) {
    const found = child(node, step);
    if (!found) break;
    offset = found.offset ?? offset;
    node = found.value;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function child(node: unknown, step: string | number): { value: unknown; offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => (isScalar(key) ? key.value : key) === step);
    if (!pair || !isPair(pair)) return undefined;
    return { value: pair.value, offset: isNode(pair.key) ? pair.key.range?.[0] : undefined };
  }
  if (isSeq(node) && typeof step === 'number') {
    const value = node.items[step];
    return value === undefined ? undefined : { value, offset: isNode(value) ? value.range?.[0] : undefined };
  }
  return undefined;
}

/** A document as plain data. An alias without anchor, or one that grows without bound, shows only now: an Error is returned then. */
export function plainValue(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
