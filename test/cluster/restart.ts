import { dirname } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { pairOf } from './certificates.ts';
import type { ComponentName } from './components.ts';
import { ClusterError } from './errors.ts';
import { networkOf } from './network.ts';
import { daemonEnv } from './node.ts';
import { serverOf } from './pki.ts';
import { sendSignal, startDaemon, stopProcess } from './processes.ts';
import { waitForApiserver } from './ready.ts';
import { type ClusterPaths, readState, writeState } from './state.ts';

/**
 * Ends one program of a running cluster and starts it again with the command line it had. Returns when the API server is
 * ready, or, for any other program, when it has been started.
 */
export async function restartComponent(
  name: string,
  paths: ClusterPaths,
  component: ComponentName,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  const state = await readState(paths);
  const old = state?.processes.find((record) => record.name === component);
  if (state === undefined || old === undefined) {
    throw new ClusterError('NOT_UP', `cluster "${name}" has no ${component} to restart`);
  }
  const { containerd } = await ensureBinaries(['containerd']);
  if (signal === 'SIGKILL') sendSignal(old, signal);
  await stopProcess(old, 10_000);
  const { command, logPath } = old;
  const fresh = await startDaemon({ name: component, command, logPath, env: daemonEnv([dirname(containerd)]) });
  const processes = state.processes.map((record) => (record === old ? fresh : record));
  await writeState(paths, { ...state, processes });
  if (component !== 'kube-apiserver') return;
  await waitForApiserver({
    url: serverOf(networkOf(state.index)),
    authority: { dir: paths.pki, ...pairOf(paths.pki, 'ca') },
    admin: pairOf(paths.pki, 'admin'),
    processes: [fresh],
  });
}
