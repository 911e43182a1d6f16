/** Programs that this project did not write, as services of this machine's loopback: started, asked for their own metrics, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { etcdFlags } from '../cluster/control-plane-flags.ts';
import { freePorts } from '../cluster/ports.ts';
import { until } from '../support/until.ts';

export interface Service {
  readonly pid: number;
  /** Its answer to a scrape, which also makes it work. */
  readonly metrics: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Frequent collections of a small heap. */
const env = { ...process.env, GOGC: '15' };

export async function startPrometheus(program: string, folder: string): Promise<Service> {
  const [port = 0] = await freePorts(1);
  const listen = `127.0.0.1:${port}`;
  await mkdir(folder, { recursive: true });
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name: 'self', static_configs: [{ targets: [listen] }] }],
  };
  // JSON is YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${listen}`,
  ];
  return started(program, args, folder, () => scrape(`http://${listen}/metrics`));
}

export async function startEtcd(program: string, folder: string): Promise<Service> {
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  const address = '127.0.0.1';
  await mkdir(folder, { recursive: true });
  const args = etcdFlags({ dataDir: join(folder, 'data'), address, clientPort, peerPort });
  return started(program, args, folder, () => scrape(`http://${address}:${clientPort}/metrics`));
}

export async function startContainerd(program: string, folder: string): Promise<Service> {
  const [port = 0] = await freePorts(1);
  await mkdir(folder, { recursive: true });
  const config = [
    'version = 2',
    `root = '${join(folder, 'root')}'`,
    `state = '${join(folder, 'state')}'`,
    "disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.nri.v1.nri']",
    '[grpc]',
    `address = '${join(folder, 'containerd.sock')}'`,
    '[metrics]',
    `address = '127.0.0.1:${port}'`,
    "[plugins.'io.containerd.internal.v1.opt']",
    `path = '${join(folder, 'opt')}'`,
  ];
  await writeFile(join(folder, 'config.toml'), `${config.join('\n')}\n`);
  return started(program, ['--config', join(folder, 'config.toml')], folder, () =>
    scrape(`http://127.0.0.1:${port}/v1/metrics`),
  );
}

/** The API server of a control plane that somebody else starts and stops. */
export function apiserverOf(plane: ControlPlane): Service {
  const user = Kubeconfig.parse(parse(readFileSync(plane.kubeconfigPath, 'utf8'))).users[0].user;
  const [cert, key] = [user['client-certificate-data'], user['client-key-data']].map((text) =>
    Buffer.from(text, 'base64'),
  );
  const metrics = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request(`${plane.adminUrl}/metrics`, { ca: plane.ca, cert, key, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      });
      call.on('error', reject);
      call.end();
    });
  return { pid: plane.apiserver.pid, metrics, stop: () => plane.stop() };
}

const Kubeconfig = z.object({
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }) }),
  ]),
});

async function started(
  program: string,
  args: readonly string[],
  folder: string,
  metrics: () => Promise<string>,
): Promise<Service> {
  const log = openSync(join(folder, 'log'), 'w');
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', log, log] });
  closeSync(log);
  const answers = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${readFileSync(join(folder, 'log'), 'utf8')}`);
    return (await metrics().catch(() => '')).includes('go_gc_duration_seconds_count');
  };
  const service = { pid: child.pid ?? -1, metrics, stop: () => ended(child) };
  try {
    await until(`${program} answers`, answers, 60_000, 100);
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** As its own supervisor would. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
  child.kill('SIGTERM');
  await gone;
  clearTimeout(patience);
}

async function scrape(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}
