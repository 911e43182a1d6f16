/** What was told of one target: only what differs is news. Pure. */
import { isUnanswered } from './activity-poller.ts';
import type { Activity, ActivitySource, TargetState } from './types.ts';

export class News {
  /** As it was last compared with what was told. */
  #state: TargetState | null = null;
  #told = '';
  #toldActivity = '';

  isNewState(state: TargetState): boolean {
    if (state === this.#state) return false;
    this.#state = state;
    const told = JSON.stringify(state);
    if (told === this.#told) return false;
    this.#told = told;
    return true;
  }

  isNewActivity(source: ActivitySource | null, activity: Activity): boolean {
    if (isUnanswered(activity)) return false;
    const told = wordsOf(source, activity);
    if (told === this.#toldActivity) return false;
    this.#toldActivity = told;
    return true;
  }
}

/** Messages of those that are asked may differ each time, and say the same. */
function wordsOf(source: ActivitySource | null, activity: Activity): string {
  if (activity.kind === 'count') return 'count';
  return source?.kind === 'given' ? activity.message : `${activity.reason} ${JSON.stringify(source)}`;
}
