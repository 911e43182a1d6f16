/** Numbers for people. Pure. */

/** `850 µs`, `1.24 ms`, `31.0 ms`, `1.20 s`. */
export function duration(ns: number): string {
  if (ns < 1_000) return `${Math.round(ns)} ns`;
  if (ns < 999_500) return `${Math.round(ns / 1_000)} µs`;
  if (ns < 9_995_000) return `${(ns / 1e6).toFixed(2)} ms`;
  if (ns < 999_500_000) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}

/** `4.1 %`, `37 %`. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} %`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `96.4 MiB`; a goal that nothing bounds is `∞`. */
export function size(bytes: number): string {
  if (bytes >= 2 ** 63) return '∞';
  const exponent = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** exponent;
  return `${exponent === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[exponent]}`;
}
