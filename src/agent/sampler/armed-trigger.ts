/** Which triggers watch a cgroup's memory pressure, and how much pressure there is when one tells. Pure. */
import type { PressureSubject } from '../../host/index.ts';
import type { TriggerRequest } from '../../host/probe/index.ts';
import {
  type PressureLimits,
  type PressureOnset,
  type PressureTotals,
  TRAILING_WINDOW_NS,
} from '../../model/pressure-onset.ts';
import { TrailingStall } from '../../model/trailing-stall.ts';

type Signal = PressureOnset['signal'];

export interface ArmedTrigger {
  readonly key: string;
  readonly line: TriggerRequest['line'];
  readonly signal: Signal;
  readonly limit: number;
  /** When it last told; the kernel tells once in each window for as long as the pressure lasts. */
  lastNs: number | null;
}

const lines = [
  { line: 'some', signal: 'memoryPressureSome' },
  { line: 'full', signal: 'memoryPressureFull' },
] as const;

export function armedTriggers(key: string, limits: PressureLimits): ArmedTrigger[] {
  return lines.map(({ line, signal }) => ({ key, line, signal, limit: limits[signal], lastNs: null }));
}

/** A share of the trailing second, as the kernel wants it. */
export function requestOf({ line, limit }: ArmedTrigger, id: string, directory: string): TriggerRequest {
  const windowUs = TRAILING_WINDOW_NS / 1000;
  const stallUs = Math.min(windowUs, Math.max(1, Math.round(limit * windowUs)));
  return { id, file: `${directory}/memory.pressure`, line, stallUs, windowUs };
}

export function sameSubject(one: PressureSubject, other: PressureSubject): boolean {
  return (
    one.directory === other.directory &&
    one.limits.memoryPressureSome === other.limits.memoryPressureSome &&
    one.limits.memoryPressureFull === other.limits.memoryPressureFull
  );
}

/** The shares of one cgroup's trailing second, from totals read once a second and one more when a trigger tells. */
export class TrailingShares {
  readonly #some = new TrailingStall(TRAILING_WINDOW_NS);
  readonly #full = new TrailingStall(TRAILING_WINDOW_NS);

  heed({ atNs, someNs, fullNs }: PressureTotals): Readonly<Record<Signal, number>> {
    return {
      memoryPressureSome: this.#some.share({ atNs, totalNs: someNs }),
      memoryPressureFull: fullNs === null ? 0 : this.#full.share({ atNs, totalNs: fullNs }),
    };
  }
}
