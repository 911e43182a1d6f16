/** The program as it ships, for tests that run it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryDir } from '../cluster/paths.ts';

let isBuilt = false;

/** @returns path of the bundle, of the sources as they were when it was first asked for */
export function builtBundle(): string {
  if (!isBuilt) execFileSync(process.execPath, [join(repositoryDir, 'test/build.ts'), '--quiet'], { stdio: 'inherit' });
  isBuilt = true;
  return join(repositoryDir, 'dist/robotgc.js');
}
