/** Where an object differs from the one before it in a series: of a quiet container's hundred figures in a dozen. Pure. */
import { type Form, isNested, type Leaf, type Plain } from './leaves.ts';

export class Changes {
  /** Of the changed leaves, ascending; only the first `length` are of the latest comparison. */
  readonly at: number[] = [];
  readonly values: Leaf[] = [];
  length = 0;
  #last: readonly Leaf[] = [];

  /**
   * A part that is the very same object as in the one before has not changed, and is not looked into: nothing that was pushed is ever written to.
   *
   * @param before the object before, of this form; null where there is none
   * @param last its leaves
   * @returns false when the object is of another form
   */
  find(form: Form, value: object, before: object | null, last: readonly Leaf[]): boolean {
    this.#last = last;
    this.length = 0;
    return this.#walk(form, value, before, 0) !== -1;
  }

  /** @returns where the next leaf would be; -1 when the object is of another form */
  #walk({ keys, parts }: Form, value: object, before: object | null, from: number): number {
    let at = from;
    let index = 0;
    if (Array.isArray(value)) {
      if (keys !== null || value.length !== parts.length) return -1;
      const earlier = Array.isArray(before) ? before : null;
      for (; index < value.length && at !== -1; index++)
        at = this.#take(parts[index], value[index], earlier?.[index], at);
      return at;
    }
    // Objects with string keys: all that JSON knows.
    const fields = value as Plain;
    const earlier = before as Plain | null;
    for (const key in fields) {
      if (keys?.[index] !== key) return -1;
      at = this.#take(parts[index], fields[key], earlier?.[key], at);
      if (at === -1) return -1;
      index += 1;
    }
    return index === keys?.length ? at : -1;
  }

  #take(part: Form | null | undefined, value: unknown, before: unknown, at: number): number {
    if (isNested(value)) {
      if (!part) return -1;
      return value === before ? at + part.leafCount : this.#walk(part, value, isNested(before) ? before : null, at);
    }
    if (part !== null) return -1;
    const leaf = value as Leaf; // what is not nested is a leaf: functions, symbols and bigints are in no such object
    if (!Object.is(this.#last[at], leaf)) {
      this.at[this.length] = at;
      this.values[this.length++] = leaf;
    }
    return at + 1;
  }
}
