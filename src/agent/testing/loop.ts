/** The product's loop on a real API server: an operator and an agent as processes, robots in cgroups of their own. The test plays the kubelet. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../../../test/cluster/control-plane.ts';
import { freePorts } from '../../../test/cluster/ports.ts';
import { isReady } from '../../../test/support/ready.ts';
import { createAgentAccount, installResources, type Kubectl, kubectlOf } from '../../../test/support/robots-api.ts';
import { until } from '../../../test/support/until.ts';
import type { RobotGCIncident } from '../../api/index.ts';
import { generateKeyPair } from '../../bundle/index.ts';
import { createTransport, incidents, list, type Transport } from '../../kube/index.ts';
import { type CliRun, robotgc } from './cli.ts';
import { makePodCgroup, type PodCgroup } from './pod-cgroup.ts';
import { type Robot, stopChild } from './robot.ts';

export interface LoopOptions {
  /** Flags of the agent beside those that it needs. */
  readonly agentFlags: readonly string[];
  /** What stands between the agent and its operator. @returns where the agent finds it */
  readonly between?: (operatorUrl: string) => Promise<string>;
}

export class Loop {
  static readonly node = 'node-1';
  readonly kubectl: Kubectl;
  readonly transport: Transport;
  readonly #plane: ControlPlane;
  /** Goes when the loop stops. */
  readonly folder: string;
  readonly #ports: { readonly ingest: number; readonly operator: number; readonly agent: number };
  readonly #group = `robotgc-loop-test-${randomBytes(4).toString('hex')}`;
  readonly #agentFlags: readonly string[];
  #agentsUrl: string;
  #operator: CliRun | undefined;
  #agent: CliRun | undefined;
  readonly #cgroups: PodCgroup[] = [];
  readonly #robots: Pick<Robot, 'stop'>[] = [];

  private constructor(plane: ControlPlane, folder: string, ports: readonly number[], flags: readonly string[]) {
    const [ingest = 0, operator = 0, agent = 0] = ports;
    this.#plane = plane;
    this.folder = folder;
    this.#ports = { ingest, operator, agent };
    this.#agentFlags = flags;
    this.#agentsUrl = `http://127.0.0.1:${ingest}`;
    this.kubectl = kubectlOf(plane);
    this.transport = createTransport({ kubeconfigPath: plane.kubeconfigPath, userAgent: 'test' });
  }

  static async start({ agentFlags, between }: LoopOptions): Promise<Loop> {
    const plane = await startControlPlane();
    const folder = await mkdtemp(join(tmpdir(), 'robotgc-loop-'));
    const loop = new Loop(plane, folder, await freePorts(3), agentFlags);
    try {
      await installResources(loop.kubectl);
      await writeFile(join(folder, 'token'), await createAgentAccount(loop.kubectl));
      await writeFile(join(folder, 'key.pem'), generateKeyPair().privatePem);
      if (between) loop.#agentsUrl = await between(loop.#agentsUrl);
      await loop.startOperator();
      await loop.startAgent();
      return loop;
    } catch (error) {
      await loop.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const run of [this.#agent, this.#operator]) if (run) await stopChild(run.child, 'SIGKILL');
    for (const robot of this.#robots) await robot.stop();
    for (const cgroup of this.#cgroups) await cgroup.remove();
    await this.transport.close();
    await this.#plane.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get operator(): CliRun {
    return this.#operator ?? fail();
  }

  get agent(): CliRun {
    return this.#agent ?? fail();
  }

  /** A file of the agent's or the operator's. */
  path(of: 'agent' | 'operator', ...names: readonly string[]): string {
    return join(this.folder, of, ...names);
  }

  async startOperator(): Promise<void> {
    const { ingest, operator } = this.#ports;
    this.#operator = robotgc([
      ...['operator', '--namespace', 'robots', '--data-dir', this.path('operator')],
      ...['--signing-key', join(this.folder, 'key.pem'), '--agent-user', 'system:serviceaccount:robots:agent'],
      ...['--ingest-port', String(ingest), '--health-port', String(operator)],
      ...['--kubeconfig', this.#plane.kubeconfigPath],
    ]);
    await this.#ready(operator);
  }

  async startAgent(): Promise<void> {
    const { agent } = this.#ports;
    this.#agent = robotgc([
      ...['agent', '--node', Loop.node, '--operator-url', this.#agentsUrl],
      ...['--operator-token-file', join(this.folder, 'token'), '--state-dir', this.path('agent')],
      ...['--health-port', String(agent), '--kubeconfig', this.#plane.kubeconfigPath, ...this.#agentFlags],
    ]);
    await this.#ready(agent);
  }

  /** The agent's own metrics, as its page shows them. */
  async agentMetrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#ports.agent}/metrics`)).text();
  }

  async #ready(port: number): Promise<void> {
    await this.until(`ready on port ${port}`, () => isReady(port), 60_000);
  }

  /** As `until`, with the last words of both processes where it is not in time. */
  async until(what: string, look: () => Promise<boolean>, timeoutMs: number, seen: () => unknown = () => '') {
    await until(what, look, timeoutMs, 100).catch((error: unknown) => {
      const words = [this.#agent, this.#operator].map(
        (run) => `${run?.stdout().slice(-4000)}${run?.stderr().slice(-2000)}`,
      );
      throw new Error(`${error}: ${JSON.stringify(seen(), null, 1)}\n${words.join('\n---\n')}`);
    });
  }

  /** @returns the object's uid */
  apply(object: object): Promise<string> {
    const args = ['apply', '--server-side', '--output=jsonpath={.metadata.uid}', '-f', '-'];
    return this.kubectl(args, JSON.stringify(object));
  }

  async setStatus(kind: string, name: string, status: object): Promise<void> {
    const [patch, where] = [JSON.stringify({ status }), ['--namespace=robots', '--subresource=status', '--type=merge']];
    await this.kubectl(['patch', kind, name, ...where, '-p', patch]);
  }

  /** A container of a pod begins, as its kubelet reports it. @returns its id, and its cgroups for the process that is to run in it */
  async startContainer(
    pod: string,
    podUid: string,
    restartCount = 0,
  ): Promise<{ id: string; procsFiles: readonly string[] }> {
    const id = randomBytes(32).toString('hex');
    const cgroup = makePodCgroup(this.#group, podUid, id);
    this.#cgroups.push(cgroup);
    const state = { running: { startedAt: new Date().toISOString() } };
    const container = { name: 'robot', image: 'robot', imageID: 'robot', ready: true, restartCount, state };
    await this.setStatus('pod', pod, {
      phase: 'Running',
      podIP: '127.0.0.1',
      podIPs: [{ ip: '127.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ ...container, containerID: `containerd://${id}` }],
    });
    return { id, procsFiles: cgroup.procsFiles };
  }

  /** Stopped at the end, where it still runs. */
  keep<R extends Pick<Robot, 'stop'>>(robot: R): R {
    this.#robots.push(robot);
    return robot;
  }

  async incidentsOf(policy: string): Promise<RobotGCIncident[]> {
    const all = await list(this.transport, incidents, { namespace: 'robots' });
    return all.filter(({ spec }) => spec.policy.name === policy);
  }

  async untilIncident(policy: string, holds: (incident: RobotGCIncident) => boolean): Promise<RobotGCIncident> {
    let found: RobotGCIncident | undefined;
    const look = async (): Promise<boolean> => {
      [found] = await this.incidentsOf(policy);
      return found !== undefined && holds(found);
    };
    await this.until(`an incident of ${policy}`, look, 90_000, () => found?.status);
    return found ?? fail();
  }
}

function fail(): never {
  throw new Error('it is not there');
}
