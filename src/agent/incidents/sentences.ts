/** A breach in one sentence, for events and logs. Pure. */
import type { Breach } from '../../model/index.ts';

const signalNames: Readonly<Record<Breach['signal'], string>> = {
  gcStallP99: 'GC stall P99',
  gcCpuShare: 'GC CPU share',
  memoryPressureSome: 'memory pressure (some)',
  memoryPressureFull: 'memory pressure (full)',
};

export function breachSentence(breach: Breach): string {
  const { signal, observed, threshold, breachingWindows, ofWindows } = breach;
  return `${signalNames[signal]} reached ${quantity(observed, breach.unit)}, limit ${quantity(threshold, breach.unit)}, in ${breachingWindows} of ${ofWindows} seconds; capturing evidence.`;
}

function quantity(value: number, unit: Breach['unit']): string {
  return unit === 'ns' ? `${(value / 1e6).toFixed(2)} ms` : `${(value * 100).toFixed(2)} %`;
}
