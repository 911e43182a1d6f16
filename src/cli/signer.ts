/** `--key FILE`: who signs a bundle. */
import { readFileSync } from 'node:fs';
import { privateKeyFromPem, type Signer } from '../bundle/index.ts';
import { CliError, exitCodes } from './exit.ts';

export function signerFrom(path: string): Signer {
  try {
    return { privateKey: privateKeyFromPem(readFileSync(path, 'utf8')) };
  } catch (error) {
    throw new CliError(exitCodes.usage, `--key ${path}: ${error instanceof Error ? error.message : error}`);
  }
}
