/** A plain object as its form (keys and nesting) and its leaves in order: objects of one form differ in their leaves alone. Pure. */

/** What is neither an object nor an array. */
export type Leaf = string | number | boolean | null | undefined;

/** Keys of an object, or `null` with as many parts as an array has items. A part that is `null` is a leaf. */
export interface Form {
  readonly keys: readonly string[] | null;
  readonly parts: readonly (Form | null)[];
  /** Of the object and all in it. */
  readonly leafCount: number;
}

export type Plain = Readonly<Record<string, unknown>>;

export function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function formOf(value: object): Form {
  const keys = Array.isArray(value) ? null : Object.keys(value);
  const values: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  const parts = values.map((each) => (isNested(each) ? formOf(each) : null));
  return { keys, parts, leafCount: parts.reduce((sum, part) => sum + (part?.leafCount ?? 1), 0) };
}

export function hasForm({ keys, parts }: Form, value: object): boolean {
  if (Array.isArray(value))
    return keys === null && value.length === parts.length && value.every((item, i) => hasPart(parts[i], item));
  const own = Object.keys(value);
  return (
    keys?.length === own.length && own.every((key, i) => key === keys[i] && hasPart(parts[i], (value as Plain)[key])) // an object with string keys: all that JSON knows
  );
}

function hasPart(part: Form | null | undefined, value: unknown): boolean {
  return isNested(value) ? part !== null && part !== undefined && hasForm(part, value) : part === null;
}

/** The object of this form that has these leaves. */
export function fromLeaves(form: Form, leaves: readonly Leaf[]): unknown {
  let at = 0;
  const build = ({ keys, parts }: Form): unknown => {
    const values = parts.map((part) => (part === null ? leaves[at++] : build(part)));
    return keys === null ? values : Object.fromEntries(keys.map((key, index) => [key, values[index]]));
  };
  return build(form);
}
