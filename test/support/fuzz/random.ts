/** Numbers that look random and come again from the same seed (splitmix32). */
export interface Random {
  /** 0 to 2³² − 1. */
  next(): number;
  /** 0 to limit − 1; 0 for a limit below 1. */
  below(limit: number): number;
  of<T>(list: readonly T[]): T | undefined;
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const below = (limit: number): number => (limit < 1 ? 0 : Math.floor((next() / 2 ** 32) * limit));
  return { next, below, of: (list) => list[below(list.length)] };
}
