/** A breach in one sentence, for events and logs. Pure. */
import { type Breach, checkOf, quantity } from '../../model/index.ts';

export function breachSentence({ signal, observed, threshold, unit, breachingWindows, ofWindows }: Breach): string {
  const { name } = checkOf(signal);
  return `${name} reached ${quantity(observed, unit)}, limit ${quantity(threshold, unit)}, in ${breachingWindows} of ${ofWindows} seconds; capturing evidence.`;
}
