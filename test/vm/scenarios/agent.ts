/** `robotgc agent` as a process of the machine that this runs on, and the door that it takes for its operator's: what it sends is kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { freePorts, portOf } from '../../cluster/ports.ts';
import { wallMs } from './kernel-files.ts';
import { exitOf } from './watched.ts';

/** As far as a scenario looks at one; whoever judges reads it whole. */
export interface SentWindow {
  readonly containerId: string;
  readonly seq: number;
  readonly endedAt: string;
  readonly arrivedMs: number;
  readonly pids: readonly number[];
  readonly cgroup: { readonly memoryLimitBytes: number | null; readonly memoryHighBytes?: number | null } | null;
}

export interface Agent {
  readonly windows: readonly SentWindow[];
  /** Itself while it runs. @throws with its words when it has ended: what is waited for will not come */
  alive(): Agent;
  /** What it said last. */
  words(): string;
  /** Ends it as the kubelet does. @returns its exit code */
  end(): Promise<number>;
}

export interface AgentSettings {
  readonly robotgc: string;
  readonly node: string;
  readonly kubeconfig: string;
  /** Its state lies here. */
  readonly folder: string;
}

export async function startAgent({ robotgc, node, kubeconfig, folder }: AgentSettings): Promise<Agent> {
  const windows: SentWindow[] = [];
  const door = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    // Bundles wait in the outbox meanwhile.
    if (request.url !== '/v1/windows') return response.writeHead(503).end();
    const arrivedMs = wallMs();
    for (const line of body.trim().split('\n')) windows.push({ ...JSON.parse(line), arrivedMs });
    return response.writeHead(204, { 'robotgc-leader': 'one' }).end();
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  mkdirSync(folder, { recursive: true });
  const token = join(folder, 'token');
  writeFileSync(token, 'token');
  const [healthPort] = await freePorts(1);
  const child = spawn(
    process.execPath,
    [
      ...[robotgc, 'agent', '--node', node, '--kubeconfig', kubeconfig, '--health-port', String(healthPort)],
      ...['--operator-url', `http://127.0.0.1:${portOf(door)}`, '--operator-token-file', token],
      ...['--state-dir', join(folder, 'state')],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = exitOf(child);
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      words = `${words}${chunk}`.slice(-20_000);
    });
  }
  const agent: Agent = {
    windows,
    alive: () => {
      if (child.exitCode === null && child.signalCode === null) return agent;
      throw new Error(`robotgc agent ended with ${child.exitCode ?? child.signalCode}: ${words}`);
    },
    words: () => words,
    end: async () => {
      child.kill('SIGTERM');
      const code = await exited;
      door.closeAllConnections();
      door.close();
      return code;
    },
  };
  return agent;
}
