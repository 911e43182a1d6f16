/** Bench `loss`: a node whose processes together collect a thousand times a second and more. Nothing of it may be lost. */
import { buildChurn } from '../../src/host/probe/testing/churn.ts';
import { removeTemporaryFolders } from '../../src/host/probe/testing/ground.ts';
import { type CrowdResult, collectTogether } from '../robustness/collecting-crowd.ts';

export interface LossOptions {
  readonly processes: number;
  /** Of all processes together. */
  readonly rate: number;
  readonly seconds: number;
  readonly say: (sentence: string) => void;
}

export interface LossResult extends CrowdResult {
  readonly bench: 'loss';
  readonly leastCyclesPerSecond: number;
  /** The rate was reached, every cycle and pause that the runtimes counted was seen, and nothing was lost. */
  readonly held: boolean;
}

const leastCyclesPerSecond = 1_000;

export async function loss({ processes, rate, seconds, say }: LossOptions): Promise<LossResult> {
  try {
    const binary = buildChurn();
    say(`${processes} processes, ${rate} collections a second together, for ${seconds} s`);
    const found = await collectTogether({ binary, processes, cyclesPerSecond: rate, seconds });
    const isWhole = [found.cycles, found.pauses].every(({ runtime, probe }) => runtime === probe);
    const held = found.cyclesPerSecond >= leastCyclesPerSecond && isWhole && found.lostEvents === 0;
    return { bench: 'loss', leastCyclesPerSecond, held, ...found };
  } finally {
    removeTemporaryFolders();
  }
}
