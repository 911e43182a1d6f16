/** `--pprof URL` as address and path prefix. Pure. */
import { CliError, exitCodes } from '../exit.ts';

export interface PprofAddress {
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
}

export function pprofAddress(text: string): PprofAddress {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url?.protocol !== 'http:' || url.hostname === '') {
    throw new CliError(exitCodes.usage, `--pprof ${text}: write an address such as http://127.0.0.1:6060/debug/pprof`);
  }
  const prefix = url.pathname.replace(/\/+$/, '');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 80),
    prefix: prefix === '' ? '/debug/pprof' : prefix,
  };
}
