import { rm } from 'node:fs/promises';
import { destroyCgroups } from './cgroups.ts';
import { lockNumbers } from './claim.ts';
import { networkOf } from './network.ts';
import { removeNodeTraces } from './node.ts';
import { isRunning, sendSignal, waitUntil } from './processes.ts';
import { type ClusterPaths, listStates, readState } from './state.ts';

/**
 * Ends whatever is left of the cluster, however it was left, and removes every trace of it. Does nothing the second time.
 * Nothing is asked to end politely: data, mounts, links and rules go with the namespaces, so there is nothing to save.
 */
export async function removeCluster(name: string, paths: ClusterPaths): Promise<void> {
  const state = await readState(paths);
  const processes = [...(state?.processes ?? [])].reverse();
  for (const record of processes) sendSignal(record, 'SIGKILL');
  await destroyCgroups(name);
  await waitUntil(() => processes.every((record) => !isRunning(record)), 10_000);
  const lock = await lockNumbers();
  try {
    if (state !== undefined) {
      const others = (await listStates()).filter((other) => other.name !== name);
      await removeNodeTraces(networkOf(state.index), others.length === 0);
    }
    await rm(paths.dir, { recursive: true, force: true, maxRetries: 5 });
  } finally {
    lock.release();
  }
}
