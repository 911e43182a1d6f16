import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another after each boot. */
export async function bootId(procRoot: string): Promise<string> {
  return (await readFile(join(procRoot, 'sys/kernel/random/boot_id'), 'utf8')).trim();
}
