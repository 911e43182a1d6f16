/** The demonstration in one JSON object. */
import type { RobotGCIncident, SignalSummary } from '../../src/api/index.ts';

export interface DemoResult {
  readonly phase: string;
  readonly cause: string | null;
  readonly detectMs: number | null;
  readonly captureMs: number | null;
  readonly healMs: number | null;
  readonly before: Signals | null;
  readonly after: Signals | null;
  readonly bundle: string;
}

interface Signals {
  readonly gcCpuShare: number;
  readonly gcPauseP99Ms: number;
  readonly gogc: number | null;
}

export function resultOf({ status }: RobotGCIncident, bundle: string): DemoResult {
  const signals = (summary: SignalSummary | undefined): Signals | null =>
    summary
      ? {
          gcCpuShare: Number(summary.gcCpuShare.toFixed(4)),
          gcPauseP99Ms: Number(summary.gcPauseP99Ms.toFixed(3)),
          gogc: summary.gogc,
        }
      : null;
  return {
    phase: status.phase ?? 'Detected',
    cause: status.cause ?? null,
    detectMs: status.times?.detectMs ?? null,
    captureMs: status.times?.captureMs ?? null,
    healMs: status.times?.healMs ?? null,
    before: signals(status.verification?.before),
    after: signals(status.verification?.after),
    bundle,
  };
}
