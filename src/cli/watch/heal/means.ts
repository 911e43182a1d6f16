/** What a watch acts with on its process, for whichever reason. */
import type { LiveKnob, RobotGCPolicy } from '../../../api/index.ts';
import type { GcWriter } from '../../../host/index.ts';
import type { WindowRing } from '../../../model/index.ts';
import type { Way } from '../../../remedy/index.ts';
import type { Printer } from '../printer.ts';
import type { NamedProcess } from '../process.ts';

export interface Means {
  readonly process: NamedProcess;
  readonly policy: RobotGCPolicy;
  readonly windows: Pick<WindowRing, 'all' | 'since'>;
  readonly printer: Printer;
  readonly say: (sentence: string) => void;
  /** Or why the process's settings cannot be written. */
  readonly openWriter: () => GcWriter | string;
  readonly signal: AbortSignal;
}

export const windowMs = 1_000;

const noRollout: Way = {
  kind: 'Missing',
  of: 'Rollout',
  why: 'Rollout is possible in a cluster only; here it takes Live in actions.apply.',
};

/** @param whyNotLive a clause; null: it can be written */
export function localWays(knobs: readonly LiveKnob[], whyNotLive: string | null): Way[] {
  const live: Way =
    whyNotLive === null ? { kind: 'Live', knobs } : { kind: 'Missing', of: 'Live', why: `${whyNotLive}.` };
  return [live, noRollout];
}

interface NoWriter {
  readonly value: null;
  readonly why: string;
}
interface SomeWriter {
  readonly value: GcWriter;
  readonly why: null;
}

/** What `openWriter` gives, to be closed either way. */
export function orNothing(opened: GcWriter | string): Disposable & (NoWriter | SomeWriter) {
  if (typeof opened === 'string') return { value: null, why: opened, [Symbol.dispose]() {} };
  return { value: opened, why: null, [Symbol.dispose]: () => opened[Symbol.dispose]() };
}
