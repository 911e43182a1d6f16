/** Where a part of the assists was seen: between what a window's stalls truly are. */
import type { Interval } from './sampled-stalls.ts';
import type { AssistSampling } from './window.ts';

/** A longest stall that was seen is no longer than the longest there was. */
export function sampledStall(
  field: 'gcAssist' | 'gcStall',
  of: 'p99Ns' | 'maxNs',
): (sampling: AssistSampling, value: number) => Interval {
  return (sampling, value) => {
    if (of === 'maxNs') return { low: value, high: null };
    if (field === 'gcAssist') return { low: sampling.p99LowNs, high: sampling.p99HighNs };
    const { stallP99LowNs, stallP99HighNs } = sampling;
    // Windows of an agent that did not tell it yet.
    if (stallP99HighNs === undefined) return { low: value, high: sampling.observedShare === 0 ? null : value };
    return { low: stallP99LowNs ?? value, high: stallP99HighNs };
  };
}
