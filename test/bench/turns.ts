/** In which order things are measured, so that a machine that warms up or slows down favours none. Pure. */
import type { Random } from '../support/fuzz/random.ts';

/**
 * All in a random order, then all in the reverse: each twice, and each as early as late on the whole. Whatever the machine gains or loses
 * evenly in the course of a round cancels out; the random order sees to what comes in waves.
 */
export function thereAndBack<T>(things: readonly T[], random: Random): T[] {
  const left = [...things];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  return [...order, ...order.toReversed()];
}
