/** What the programs of the chart have in common: an orderly end on SIGTERM, ports. */
import { InvalidArgumentError } from 'commander';
import type { Logger } from 'pino';

/** Runs until `work` is done; SIGTERM and SIGINT abort its signal. */
export async function daemon(log: Logger, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'stopping');
      stop.abort();
    });
  }
  await work(stop.signal);
  log.info('stopped');
}

/** Parses an option's value. */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('write a whole number of at least 1');
  return number;
}

/** Parses an option's value. */
export function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new InvalidArgumentError('write a port from 1 to 65535');
  return number;
}
