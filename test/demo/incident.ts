/** The incident as kubectl shows it. */

import { z } from 'zod';
import { isFinal, RobotGCIncident, type SignalSummary } from '../../src/api/index.ts';
import { quantity } from '../../src/model/index.ts';
import type { ReachableCluster } from '../cluster/cluster.ts';
import { ROBOT_NAMESPACE } from './deploy.ts';

const List = z.object({ items: z.array(RobotGCIncident) });

export async function listIncidents(cluster: ReachableCluster): Promise<RobotGCIncident[]> {
  const { stdout } = await cluster.kubectl(['get', 'rgi', `--namespace=${ROBOT_NAMESPACE}`, '--output=json']);
  return List.parse(JSON.parse(stdout)).items;
}

/** One line for each thing that is new in the incident since it was looked at last. */
export function tellProgress(incident: RobotGCIncident, before: RobotGCIncident | undefined): string[] {
  const { spec, status } = incident;
  const old = before?.status;
  const lines: string[] = [];
  if (!before) {
    const { trigger } = spec;
    const show = (value: number): string => quantity(value, trigger.unit);
    lines.push(
      `breach: ${trigger.signal} ${show(trigger.observed)} over ${show(trigger.threshold)} in ` +
        `${trigger.breachingWindows} of ${trigger.ofWindows} windows → RobotGCIncident ${incident.metadata.name}`,
    );
  }
  if (status.capture?.endedAt && !old?.capture?.endedAt) {
    const failures = status.capture.failures?.map(({ kind, message }) => `${kind}: ${message}`) ?? [];
    lines.push(`captured ${status.capture.files} files via ${status.capture.via}`, ...failures);
  }
  if (status.bundle && !old?.bundle)
    lines.push(`bundle ${status.bundle.uri} sealed and stored, sha256 ${status.bundle.sha256}`);
  if (status.diagnosis && !old?.diagnosis) {
    const { cause, confidence, evidence } = status.diagnosis;
    lines.push(`cause: ${cause} (confidence ${confidence})`, ...evidence.map((line) => `  · ${line}`));
  }
  const action = status.actions?.at(-1);
  const oldAction = old?.actions?.at(-1);
  if (action && (action.result !== oldAction?.result || status.actions?.length !== old?.actions?.length)) {
    lines.push(
      `${action.kind}: GOGC ${action.before ?? 'unset'} → ${action.after ?? 'unset'} on ${action.owner.kind} ${action.owner.name}: ${action.result}`,
    );
  }
  if (status.phase !== old?.phase)
    lines.push(`phase ${status.phase ?? '(new)'}${status.message ? `: ${status.message}` : ''}`);
  return lines;
}

/** The numbers before and after, and how long it took. */
export function describeOutcome({ status }: RobotGCIncident): string[] {
  const { before, after } = status.verification ?? {};
  const row = (name: string, of: (summary: SignalSummary) => string): string =>
    `${name.padEnd(16)}${(before ? of(before) : '–').padStart(12)}${(after ? of(after) : '–').padStart(12)}`;
  const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);
  const { detectMs, captureMs, healMs } = status.times ?? {};
  return [
    `${''.padEnd(16)}${'before'.padStart(12)}${'after'.padStart(12)}`,
    row('GOGC', ({ gogc }) => String(gogc ?? '–')),
    row('GC CPU share', ({ gcCpuShare }) => `${(gcCpuShare * 100).toFixed(1)} %`),
    row('GC pause P99', ({ gcPauseP99Ms }) => `${gcPauseP99Ms.toFixed(2)} ms`),
    row('GC stall P99', ({ gcStallP99Ms }) => `${gcStallP99Ms.toFixed(2)} ms`),
    row('GC cycles', ({ gcRatePerSecond }) => `${gcRatePerSecond.toFixed(1)} /s`),
    `time to detect ${seconds(detectMs)}, to capture ${seconds(captureMs)}, to heal ${seconds(healMs)}`,
  ];
}

export function isOver(incident: RobotGCIncident | undefined): boolean {
  return isFinal(incident?.status.phase);
}
