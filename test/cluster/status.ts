import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { networkOf } from './network.ts';
import { serverOf } from './pki.ts';
import { isRunning, rssBytesOf } from './processes.ts';
import { statusOf } from './ready.ts';
import { type ClusterState, listStates, pathsOf } from './state.ts';
import { nodeNameOf } from './up.ts';

export interface ClusterStatus {
  readonly name: string;
  readonly phase: 'starting' | 'up' | 'broken';
  readonly apiReady: boolean;
  readonly nodeName: string;
  readonly server: string;
  readonly kubeconfig: string;
  readonly stateDir: string;
  readonly components: readonly ComponentStatus[];
}

export interface ComponentStatus {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  readonly rssBytes: number;
  readonly log: string;
}

/** All clusters of this user, or the one named; none is an empty list. */
export async function clusterStatus(name?: string): Promise<readonly ClusterStatus[]> {
  const states = (await listStates()).filter((state) => name === undefined || state.name === name);
  return Promise.all(states.map(describe));
}

async function describe(state: ClusterState): Promise<ClusterStatus> {
  const paths = pathsOf(state.name);
  const components = state.processes.map((record) => {
    const running = isRunning(record);
    const rssBytes = running ? (rssBytesOf(record.pid) ?? 0) : 0;
    return { name: record.name, pid: record.pid, running, rssBytes, log: record.logPath };
  });
  const server = serverOf(networkOf(state.index));
  return {
    name: state.name,
    phase: components.every(({ running }) => running) ? state.phase : 'broken',
    apiReady: await isApiReady(server, join(paths.pki, 'ca.crt')),
    nodeName: nodeNameOf(state.name),
    server,
    kubeconfig: paths.kubeconfig,
    stateDir: paths.dir,
    components,
  };
}

async function isApiReady(server: string, caPath: string): Promise<boolean> {
  try {
    return (await statusOf(`${server}/readyz`, { ca: readFileSync(caPath) })) === 200;
  } catch {
    return false;
  }
}
