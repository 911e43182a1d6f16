/** `robotgc agent` as it ships, on a real API server, without an operator: what it does each second for the containers of its node. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { stopChild } from '../../src/agent/testing/robot.ts';
import { freePorts } from '../cluster/ports.ts';
import { until } from '../support/until.ts';
import { BenchError } from './errors.ts';

const bundle = fileURLToPath(new URL('../../dist/robotgc.js', import.meta.url));

const chartValues = fileURLToPath(new URL('../../charts/robotgc/values.yaml', import.meta.url));

/** As the chart runs it: part of what it costs is how Node.js is told to run. */
async function chartEnvironment(): Promise<Record<string, string>> {
  const values = z.object({ agent: z.object({ env: z.record(z.string(), z.string()) }) });
  return values.parse(parse(await readFile(chartValues, 'utf8'))).agent.env;
}

export interface AgentProcessOptions {
  readonly node: string;
  readonly kubeconfigPath: string;
  /** For V8, such as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

export class AgentProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #health: string;

  private constructor(child: ChildProcess, folder: string, health: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#folder = folder;
    this.#health = health;
  }

  /** Resolves when it is ready. */
  static async start({ node, kubeconfigPath, nodeArgs }: AgentProcessOptions): Promise<AgentProcess> {
    if (!existsSync(bundle))
      throw new BenchError('NOT_BUILT', 'dist/robotgc.js is missing: build it with "npm run setup"');
    const folder = await mkdtemp(join(tmpdir(), 'robotgc-bench-agent-'));
    await writeFile(join(folder, 'token'), 'none');
    const [healthPort = 0, operatorPort = 0] = await freePorts(2);
    const args = [
      ...['--node', node, '--kubeconfig', kubeconfigPath, '--state-dir', join(folder, 'state')],
      ...['--operator-url', `http://127.0.0.1:${operatorPort}`, '--operator-token-file', join(folder, 'token')],
      ...['--health-port', String(healthPort), '--log-level', 'warn'],
    ];
    const child = spawn(process.execPath, [...nodeArgs, bundle, 'agent', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production', ...(await chartEnvironment()) },
    });
    const agent = new AgentProcess(child, folder, `http://127.0.0.1:${healthPort}`);
    await until('the agent is ready', () => agent.#isReady(), 60_000, 100);
    return agent;
  }

  /** Value of one of its own metrics, such as `robotgc_agent_watched_containers{state="Watching"}`. */
  async metric(name: string): Promise<number> {
    const line = (await this.#metrics()).find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? Number.NaN);
  }

  /** Of a metric with labels, all its values together. */
  async total(name: string): Promise<number> {
    const lines = (await this.#metrics()).filter((each) => each.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async #metrics(): Promise<string[]> {
    return (await (await fetch(`${this.#health}/metrics`)).text()).split('\n');
  }

  async #isReady(): Promise<boolean> {
    if (this.#child.exitCode !== null)
      throw new BenchError('AGENT_ENDED', `robotgc agent ended with code ${this.#child.exitCode}`);
    return fetch(`${this.#health}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child, 'SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }
}
