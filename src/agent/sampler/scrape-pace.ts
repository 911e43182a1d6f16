/**
 * How often metrics are scraped, and how many at once. A scrape costs about 0.7 ms of processor time and, where nobody answers, two seconds
 * of a slot. Pure.
 */

/** Of one target; with hundreds of them at most 25 a second, and still often enough for the answers to be fresh. */
const leastPeriodMs = 5_000;
const mostPeriodMs = 12_000;
const msPerTarget = 40;

export function scrapePeriodMs(targets: number): number {
  return Math.min(mostPeriodMs, Math.max(leastPeriodMs, targets * msPerTarget));
}

const maxScrapes = 8;
/** Of those whose last answer did not come in time, or that have yet to answer: however many hang, the others have the other half. */
const maxDoubtful = 4;

export class ScrapeSlots {
  #taken = 0;
  #doubtful = 0;

  /** @returns what ends the scrape; null when there is no room */
  begin(isPrompt: boolean): (() => void) | null {
    const doubtful = isPrompt ? 0 : 1;
    if (this.#taken >= maxScrapes || this.#doubtful + doubtful > maxDoubtful) return null;
    this.#taken += 1;
    this.#doubtful += doubtful;
    return () => {
      this.#taken -= 1;
      this.#doubtful -= doubtful;
    };
  }
}
