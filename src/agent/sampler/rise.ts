/** A counter that fell belongs to a new cgroup of the same name: no rise is known. */
export function rise(before: number, after: number): number {
  return Math.max(0, after - before);
}

/** Null unless both readings tell it. */
export function riseOrNull(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : rise(before, after);
}
