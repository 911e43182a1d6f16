/** What Go makes of the GOGC environment variable. */
import type { Setting } from '../api/index.ts';

/** Go's own default, when GOGC is unset or not understood. */
export const DEFAULT_GOGC = 100;
export const GOGC_OFF = -1;

/**
 * As `readGOGC` in runtime/mgcpacer.go (Go 1.19 to 1.26): `off` → −1, a 32-bit integer → itself (negative means off), anything else → 100.
 *
 * @param setting the variable's text, null when unset
 */
export function gogcOfSetting(setting: Setting): number {
  if (setting === 'off') return GOGC_OFF;
  if (setting === null || !/^-?[0-9]+$/.test(setting)) return DEFAULT_GOGC;
  const value = Number(setting);
  if (value > 2 ** 31 - 1 || value < -(2 ** 31)) return DEFAULT_GOGC;
  return value < 0 ? GOGC_OFF : value;
}
