/** Words for people: what Events, conditions and messages say. */
import type { Setting, SignalSummary, Trigger } from '../../api/index.ts';

export function describeSetting(setting: Setting): string {
  return setting === null ? 'unset' : setting;
}

export function describeValue(value: number, unit: Trigger['unit']): string {
  return unit === 'ns' ? `${(value / 1e6).toFixed(1)} ms` : `${(value * 100).toFixed(1)} %`;
}

export function describeTrigger(trigger: Trigger): string {
  const observed = describeValue(trigger.observed, trigger.unit);
  const limit = describeValue(trigger.threshold, trigger.unit);
  return `${trigger.signal} ${observed} exceeds ${limit} in ${trigger.breachingWindows} of ${trigger.ofWindows} windows`;
}

export function describeChange(before: SignalSummary, after: SignalSummary): string {
  const share = (s: SignalSummary) => `${(s.gcCpuShare * 100).toFixed(1)} %`;
  const stall = (s: SignalSummary) => `${s.gcStallP99Ms.toFixed(1)} ms`;
  return `GC CPU share ${share(before)} → ${share(after)}, GC stall P99 ${stall(before)} → ${stall(after)}`;
}
