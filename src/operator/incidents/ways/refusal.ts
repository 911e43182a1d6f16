import { isAnswer } from '../../../kube/index.ts';
import type { Outcome } from './way.ts';

/** What the server will refuse again is an answer; the rest is thrown, for another try. */
export function refusalOf(error: unknown): Outcome {
  if (isAnswer(error)) return { type: 'refused', message: error.message };
  throw error;
}
