import type { Growth } from './growth.ts';
import { mebibytes } from './words.ts';

/** For people who decide how soon they have to mend it. */
export function timeLeft(
  { slope: { perSecond }, toBytes }: Pick<Growth, 'slope' | 'toBytes'>,
  limitBytes: number | null,
): string[] {
  if (!limitBytes || limitBytes <= toBytes) return [];
  const minutes = (limitBytes - toBytes) / perSecond / 60;
  const time = minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
  return [`at this pace the live heap alone fills the memory limit of ${mebibytes(limitBytes)} in ${time}`];
}
