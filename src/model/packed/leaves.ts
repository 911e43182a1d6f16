/** A plain object as its form (keys and nesting) and its leaves in order: objects of one form differ in their leaves alone. Pure. */

/** What is neither an object nor an array. */
export type Leaf = string | number | boolean | null | undefined;

/** Keys of an object, or `null` with as many parts as an array has items. A part that is `null` is a leaf. */
export interface Form {
  readonly keys: readonly string[] | null;
  readonly parts: readonly (Form | null)[];
}

type Plain = Readonly<Record<string, unknown>>;

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null;

export function formOf(value: object): Form {
  const parts = (values: readonly unknown[]): (Form | null)[] =>
    values.map((each) => (isNested(each) ? formOf(each) : null));
  if (Array.isArray(value)) return { keys: null, parts: parts(value) };
  return { keys: Object.keys(value), parts: parts(Object.values(value)) };
}

/**
 * Writes the leaves of an object into `out`, from `at` on.
 *
 * @returns where the next leaf would go; -1 when the object is of another form
 */
export function takeLeaves(form: Form, value: object, out: Leaf[], at: number): number {
  return form.keys === null || Array.isArray(value)
    ? takeItems(form, value, out, at)
    : takeFields(form, form.keys, value as Plain, out, at); // an object with string keys: all that JSON knows
}

function takeItems(form: Form, value: object, out: Leaf[], at: number): number {
  if (form.keys !== null || !Array.isArray(value) || value.length !== form.parts.length) return -1;
  let next = at;
  for (let i = 0; i < value.length && next !== -1; i++) next = takePart(form.parts[i], value[i], out, next);
  return next;
}

function takeFields(form: Form, keys: readonly string[], value: Plain, out: Leaf[], at: number): number {
  let next = at;
  let index = 0;
  for (const key in value) {
    if (keys[index] !== key) return -1;
    next = takePart(form.parts[index], value[key], out, next);
    if (next === -1) return -1;
    index += 1;
  }
  return index === keys.length ? next : -1;
}

function takePart(part: Form | null | undefined, value: unknown, out: Leaf[], at: number): number {
  if (isNested(value)) return part ? takeLeaves(part, value, out, at) : -1;
  if (part !== null) return -1;
  out[at] = value as Leaf; // what is not nested is a leaf: functions, symbols and bigints are in no such object
  return at + 1;
}

/** The object that `takeLeaves` took apart. */
export function fromLeaves(form: Form, leaves: readonly Leaf[]): unknown {
  let at = 0;
  const build = ({ keys, parts }: Form): unknown => {
    const values = parts.map((part) => (part === null ? leaves[at++] : build(part)));
    return keys === null ? values : Object.fromEntries(keys.map((key, index) => [key, values[index]]));
  };
  return build(form);
}
