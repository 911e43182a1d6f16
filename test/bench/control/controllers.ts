/** Who sets GOGC, GOMEMLIMIT and the memory limit: those that the product is compared with, each a few lines. */
import { goMemLimitUnder, type SignalWindow } from '../../../src/model/index.ts';
import type { Settings } from './container.ts';

/** Made anew for each run. */
export type Controller =
  | {
      /** Set once; or by the program itself at the end of each cycle. */
      readonly pace: 'never';
    }
  | { readonly pace: 'cycle'; readonly next: (usedBytes: number, settings: Settings) => Settings }
  | { readonly pace: 'second'; readonly next: (window: SignalWindow, settings: Settings) => Settings | 'start anew' };

export interface Candidate {
  readonly name: string;
  /** What the program is started with. */
  readonly start: (memoryLimitBytes: number) => Settings;
  readonly control: (start: Settings) => Controller;
}

/** automemlimit's default. */
const OF_THE_LIMIT = '90%';
/** The share of the memory that both published tuners advise (bytedance/gctuner, and Uber's). */
export const TUNER_THRESHOLD = 0.7;

export const goMemLimitOf = (memoryLimitBytes: number): number => goMemLimitUnder(memoryLimitBytes, 0, OF_THE_LIMIT);

/** @param limited GOMEMLIMIT at 90 % of the memory limit */
export function fixed(name: string, gogc: number, limited: boolean): Candidate {
  const start = (memoryLimitBytes: number): Settings => ({
    gogc,
    goMemLimitBytes: limited ? goMemLimitOf(memoryLimitBytes) : null,
    memoryLimitBytes,
  });
  return { name, start, control: () => ({ pace: 'never' }) };
}

const plain = fixed('', 100, false).start;

/** base × active ÷ baseline, whatever comes of it. */
export function bareFormula(base: number, baseline: number): Candidate {
  const next = ({ activeRobots }: SignalWindow, settings: Settings): Settings => ({
    ...settings,
    gogc: Math.round(base * Math.max(1, (activeRobots ?? 0) / baseline)),
  });
  return { name: 'bare formula', start: plain, control: () => ({ pace: 'second', next }) };
}

/** GOGC = (threshold − use) ÷ use × 100 at the end of each cycle. */
export function inProcessTuner(name: string, clamp: (gogc: number) => number): Candidate {
  const next = (usedBytes: number, settings: Settings): Settings => {
    const threshold = TUNER_THRESHOLD * settings.memoryLimitBytes;
    const gogc = usedBytes > 0 ? ((threshold - usedBytes) / usedBytes) * 100 : 100;
    return { ...settings, gogc: Math.floor(clamp(gogc)) };
  };
  return { name, start: plain, control: () => ({ pace: 'cycle', next }) };
}

/** @param formula of the policy, for the bare formula */
export function simpleCandidates({
  base,
  baseline,
}: {
  readonly base: number;
  readonly baseline: number;
}): Candidate[] {
  return [
    fixed('GOGC=100', 100, false),
    fixed('GOGC=50', 50, false),
    bareFormula(base, baseline),
    fixed('GOMEMLIMIT 90 %', 100, true),
    inProcessTuner('tuner', (gogc) => Math.max(1, gogc)),
    inProcessTuner('tuner 50–500', (gogc) => Math.min(500, Math.max(50, gogc))),
  ];
}

/** What the oracle tries: with and without GOMEMLIMIT, and the last with it alone. */
const GRID = [10, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800];

export const staticSettings: readonly Candidate[] = [
  ...GRID.map((gogc) => fixed(`GOGC=${gogc}`, gogc, false)),
  ...GRID.map((gogc) => fixed(`GOGC=${gogc} GOMEMLIMIT=90%`, gogc, true)),
  fixed('GOGC=off GOMEMLIMIT=90%', -1, true),
];
