/** For tests: operators as they are installed, each a process of its own, on one volume and one Lease; windows reach whichever leads. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../../test/cluster/ports.ts';
import { isReady } from '../../../test/support/ready.ts';
import { createAgentAccount, kubectlOf } from '../../../test/support/robots-api.ts';
import { until } from '../../../test/support/until.ts';
import { type CliRun, robotgc } from '../../agent/testing/cli.ts';
import { generateKeyPair } from '../../bundle/index.ts';
import { find, leases } from '../../kube/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import type { Lives } from './testing-lives.ts';
import { namespace } from './testing-worlds.ts';

const LEASE = 'robotgc-operator';
const POST_LIMIT_MS = 1000;

export interface OperatorProcess {
  readonly name: string;
  readonly run: CliRun;
  readonly pid: number;
}

export class OperatorProcesses {
  readonly all: readonly OperatorProcess[];
  readonly #lives: Lives;
  readonly #token: string;
  readonly #urls: readonly string[];

  private constructor(lives: Lives, token: string, started: readonly (OperatorProcess & { readonly url: string })[]) {
    this.#lives = lives;
    this.#token = token;
    this.all = started;
    this.#urls = started.map(({ url }) => url);
  }

  static async start(lives: Lives, count: number): Promise<OperatorProcesses> {
    const token = await createAgentAccount(kubectlOf(lives.api.plane));
    const key = join(lives.folder, 'key.pem');
    await rm(key, { force: true });
    await writeFile(key, generateKeyPair().privatePem);
    const started = await Promise.all(Array.from({ length: count }, (_, i) => startOne(lives, `leader-${i + 1}`, key)));
    return new OperatorProcesses(lives, token, started);
  }

  /** Undefined while nobody does. */
  async leader(): Promise<OperatorProcess | undefined> {
    const lease = await find(this.#lives.api.direct, leases, { namespace, name: LEASE });
    return this.all.find(({ name }) => lease?.spec.holderIdentity.startsWith(name));
  }

  /** As an agent: to all, since it does not know which one leads. */
  add(window: SignalWindow): void {
    const headers = { authorization: `Bearer ${this.#token}` };
    const body = `${JSON.stringify(window)}\n`;
    for (const url of this.#urls) {
      const signal = AbortSignal.timeout(POST_LIMIT_MS);
      // One that is stopped, or does not lead, takes none.
      fetch(`${url}/v1/windows`, { method: 'POST', headers, body, signal }).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    for (const { run, pid } of this.all) {
      if (run.child.exitCode !== null) continue;
      process.kill(pid, 'SIGCONT');
      run.child.kill('SIGTERM');
    }
    await Promise.all(this.all.map(({ run }) => run.exited));
  }
}

async function startOne(lives: Lives, name: string, key: string): Promise<OperatorProcess & { readonly url: string }> {
  const [ingest = 0, health = 0] = await freePorts(2);
  const flags = {
    ...{ namespace, 'lease-name': LEASE, 'data-dir': lives.folder, 'signing-key': key },
    ...{ 'agent-user': `system:serviceaccount:${namespace}:agent`, kubeconfig: lives.api.plane.kubeconfigPath },
    ...{ 'ingest-port': ingest, 'health-port': health, 'breaker-breached': 1000, 'breaker-rolled-back': 1000 },
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const run = robotgc(['operator', ...args], { env: { POD_NAME: name } });
  const { pid } = run.child;
  if (pid === undefined) throw new Error(`${name} could not be started`);
  await until(`${name} is ready`, () => isReady(health), 60_000, 100);
  return { name, run, pid, url: `http://127.0.0.1:${ingest}` };
}
