/** A value of a signal as people read it. Pure. */
import type { SignalUnit } from '../api/index.ts';

const MIB = 2 ** 20;

/** `30 ms`, `31.5 %`, `4.2/s`, `3`, `512 MiB`, `64 MiB/s`, `on`. @param digits significant ones */
export function quantity(value: number, unit: SignalUnit, digits = 3): string {
  const rounded = (number: number): string => String(Number(number.toPrecision(digits)));
  switch (unit) {
    case 'ns':
      return `${rounded(value / 1e6)} ms`;
    case 'ratio':
      return `${rounded(value * 100)} %`;
    case '1/s':
      return `${rounded(value)}/s`;
    case 'count':
      return String(value);
    case 'bytes':
      return value >= 2 ** 63 ? '∞' : `${rounded(value / MIB)} MiB`;
    case 'bytes/s':
      return `${rounded(value / MIB)} MiB/s`;
    case 'flag':
      return value > 0 ? 'on' : 'off';
  }
}
