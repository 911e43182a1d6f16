import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ClusterError } from './errors.ts';
import { type Lock, takeLock } from './lock.ts';
import { type ClusterNetwork, chooseIndex, networkOf } from './network.ts';
import { clustersRoot } from './paths.ts';
import { run } from './run.ts';
import { type ClusterPaths, listStates, writeState } from './state.ts';

/** Held while numbers are given or given back, and so while it is decided which cluster is the last. */
export async function lockNumbers(signal?: AbortSignal): Promise<Lock> {
  await mkdir(clustersRoot(), { recursive: true });
  return takeLock(join(clustersRoot(), '.numbers.lock'), () => {}, signal);
}

const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));
const linksSchema = z.array(z.object({ ifname: z.string() }));

/**
 * Gives the cluster the lowest number that no other cluster of this user and no address of this machine stands against,
 * and writes it down before anybody else can choose.
 * @throws ClusterError NO_FREE_INDEX
 */
export async function claimNetwork(name: string, paths: ClusterPaths, signal?: AbortSignal): Promise<ClusterNetwork> {
  const lock = await lockNumbers(signal);
  try {
    const claimed = new Set((await listStates()).filter((state) => state.name !== name).map((state) => state.index));
    const [routes, links] = await Promise.all([
      run(['ip', '-j', '-4', 'route', 'show', 'table', 'all']).then(({ stdout }) =>
        routesSchema.parse(JSON.parse(stdout || '[]')),
      ),
      run(['ip', '-j', 'link']).then(({ stdout }) => linksSchema.parse(JSON.parse(stdout || '[]'))),
    ]);
    const index = chooseIndex(
      claimed,
      routes,
      links.map((link) => link.ifname),
    );
    if (index === undefined) {
      throw new ClusterError(
        'NO_FREE_INDEX',
        'no free addresses for another cluster: end one with "npm run cluster -- down --name NAME"',
      );
    }
    await writeState(paths, { name, index, phase: 'starting', processes: [] });
    return networkOf(index);
  } finally {
    lock.release();
  }
}
