import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the local cluster keeps things. Only what the XDG base directory specification names is taken from the environment. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'robotgc', 'cluster');
}

export function clustersRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'robotgc', 'clusters');
}

export const binariesSourceDir = fileURLToPath(new URL('./binaries', import.meta.url));
export const repositoryDir = fileURLToPath(new URL('../..', import.meta.url));
