/** Words for people: what Events, conditions and messages say. */
import type { ActionRecord, Setting, SignalSummary, Trigger } from '../../api/index.ts';
import { quantity } from '../../model/index.ts';

export function describeSetting(setting: Setting): string {
  return setting === null ? 'unset' : setting;
}

/** `GOGC 10 → 100 on Deployment dispatch`. */
export function describeAction({ knob, before, after, owner }: ActionRecord): string {
  return `${knob} ${describeSetting(before)} → ${describeSetting(after)} on ${owner.kind} ${owner.name}`;
}

export function describeTrigger({ signal, observed, threshold, unit, ...windows }: Trigger): string {
  return `${signal} ${quantity(observed, unit)} exceeds ${quantity(threshold, unit)} in ${windows.breachingWindows} of ${windows.ofWindows} windows`;
}

export function describeChange(before: SignalSummary, after: SignalSummary): string {
  const share = (s: SignalSummary) => `${(s.gcCpuShare * 100).toFixed(1)} %`;
  const stall = (s: SignalSummary) => `${s.gcStallP99Ms.toFixed(1)} ms`;
  return `GC CPU share ${share(before)} → ${share(after)}, GC stall P99 ${stall(before)} → ${stall(after)}`;
}
