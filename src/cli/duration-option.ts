/** A duration as people write it on a command line, in ms. */
import { Duration, durationMs } from '../api/index.ts';
import { CliError, exitCodes } from './exit.ts';

export function durationOption(text: string, option = '--duration'): number {
  const parsed = Duration.safeParse(text);
  if (parsed.success && durationMs(text) > 0) return durationMs(text);
  throw new CliError(exitCodes.usage, `${option} ${text}: write a duration such as 20s or 5m`);
}
