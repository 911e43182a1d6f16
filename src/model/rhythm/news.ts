/** When a rhythm is worth telling again: programs are looked at now and then, and two looks never agree to the last digit. Pure. */
import type { Rhythm } from './classify.ts';

const samePeriod = 0.1;
const sameConfidence = 0.2;
/** A quiet moment says nothing; so many in a row say that the rhythm known before is over. */
const quietLooks = 3;

export interface KnownRhythm {
  /** The last that was worth telling. */
  readonly rhythm: Rhythm;
  /** Looks since then that found none, in a row. */
  readonly quiet: number;
}

/** What is known after a further look; `isNews` where it differs from what was told before. */
export function withLook(known: KnownRhythm | null, look: Rhythm): { known: KnownRhythm; isNews: boolean } {
  if (known === null) return { known: { rhythm: look, quiet: 0 }, isNews: true };
  const { rhythm } = known;
  if (look.kind === 'unknown' && rhythm.kind !== 'unknown') {
    const quiet = known.quiet + 1;
    return quiet < quietLooks
      ? { known: { rhythm, quiet }, isNews: false }
      : { known: { rhythm: look, quiet: 0 }, isNews: true };
  }
  const isNews = look.kind !== rhythm.kind || !isAlike(look, rhythm);
  return { known: { rhythm: isNews ? look : rhythm, quiet: 0 }, isNews };
}

function isAlike(a: Rhythm, b: Rhythm): boolean {
  const [from, to] = [a.periodMs ?? 0, b.periodMs ?? 0];
  return (
    Math.abs(from - to) <= samePeriod * Math.max(from, to) && Math.abs(a.confidence - b.confidence) <= sameConfidence
  );
}
