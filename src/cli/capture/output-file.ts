/** Where a bundle is to go, looked at before the work begins. */
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError, exitCodes } from '../exit.ts';

/**
 * The path, when a file can be put there. A bundle replaces what has its name, so anything but a regular file is refused: /dev/null would
 * be gone for the whole machine.
 * @throws CliError usage
 */
export function outputFile(path: string): string {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  if (existing && !existing.isFile())
    throw refused(path, 'there is something that is not a regular file, and it would be replaced; name another');
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw refused(path, `there is no folder ${folder}`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw refused(path, `you may not write into ${folder}`);
  }
  return path;
}

function refused(path: string, why: string): CliError {
  return new CliError(exitCodes.usage, `-o ${path}: ${why}`);
}
