/**
 * Bench `scale`: CPU and memory of the real agent for more and more containers. Each is a real Go process in a cgroup of its own and a pod
 * in a real API server; all run one image, as the pods of a fleet do. In the same seconds a C program reads the same files for nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createTransport } from '../../src/kube/index.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { installResources, kubectlOf } from '../support/robots-api.ts';
import { until } from '../support/until.ts';
import { AgentProcess } from './agent-process.ts';
import { programOf } from './footprint.ts';
import { withGoBinary } from './go-program.ts';
import { Population } from './population.ts';
import { ReadFloor, withReadFloor } from './read-floor.ts';
import { allUsages, type ProcessUsage, readsOf, runSecondsOf, tree, usageOf } from './usage.ts';

export interface ScaleOptions {
  /** Containers at each step, rising. */
  readonly containers: readonly number[];
  /** Length of one measurement. */
  readonly seconds: number;
  /** Beyond that at the last step, so that ten minutes of history are there: 600 for all. */
  readonly soakSeconds: number;
  /** For the agent's V8. */
  readonly nodeArgs: readonly string[];
  readonly say: (sentence: string) => void;
}

export interface ProcessCost {
  /** User and system time by elapsed time. */
  readonly cores: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
}

/** Beside the agent, see `ReadFloor`. */
export interface FloorCost {
  readonly readCores: number;
  readonly readsPerSecond: number;
  readonly pollCores: number;
}

export interface ScaleStep {
  readonly containers: number;
  readonly agent: ProcessCost;
  readonly probe: ProcessCost;
  readonly floor: FloorCost;
  /** Of the agent. */
  readonly readsPerSecond: number;
  /** Above 0, the agent did more than to watch: it answered breaches that a crowded machine caused. */
  readonly breaches: number;
  readonly windowsPerSecond: number;
  readonly lostEvents: number;
}

export interface ScaleResult {
  readonly bench: 'scale';
  readonly seconds: number;
  readonly soakSeconds: number;
  readonly steps: readonly ScaleStep[];
  /** At the last step, agent and probe together. */
  readonly cores: number;
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly budget: typeof budget;
  /** No step of up to as many containers takes more than the budget, agent and probe together. */
  readonly isWithinBudget: boolean;
}

/** What a node may spend on being watched. */
const budget = { containers: 250, cores: 0.01, rssBytes: 100e6 } as const;

const node = 'node-1';
const app = 'steady';
/** A process is looked at each second for its first ten, and V8 compiles what runs often: what a node pays for good is measured, not how it begins. */
const settleMs = 30_000;
const steady = fileURLToPath(new URL('testdata/steady', import.meta.url));

export async function scale(options: ScaleOptions): Promise<ScaleResult> {
  return withReadFloor((floor) => withGoBinary(steady, './main.go', (robot) => measured(options, { robot, floor })));
}

interface Binaries {
  readonly robot: string;
  readonly floor: string;
}

async function measured(options: ScaleOptions, { robot, floor }: Binaries): Promise<ScaleResult> {
  const plane = await startControlPlane({ onProgress: options.say });
  const transport = createTransport({ kubeconfigPath: plane.kubeconfigPath, userAgent: 'bench' });
  try {
    const kubectl = kubectlOf(plane);
    await installResources(kubectl);
    await kubectl(['create', '-f', '-'], JSON.stringify(policy));
    await using agent = await AgentProcess.start({
      node,
      kubeconfigPath: plane.kubeconfigPath,
      nodeArgs: options.nodeArgs,
    });
    await using population = new Population({ transport, binary: robot, args: [], node, app });
    const steps: ScaleStep[] = [];
    for (const containers of options.containers) {
      await population.grow(containers);
      await allWatched(agent, containers);
      await sleep(settleMs);
      steps.push(await measure({ agent, containers, seconds: options.seconds, floor }));
      options.say(words(steps.at(-1)));
    }
    if (options.soakSeconds > 0) {
      await sleep(options.soakSeconds * 1000);
      steps.push(await measure({ agent, containers: population.size, seconds: options.seconds, floor }));
      options.say(`after ${options.soakSeconds} s: ${words(steps.at(-1))}`);
    }
    return summary(options, steps);
  } finally {
    await transport.close();
    await plane.stop();
  }
}

/** Nothing of what these robots do breaks it. */
const policy = {
  apiVersion: 'robotgc.dev/v1alpha1',
  kind: 'RobotGCPolicy',
  metadata: { name: app, namespace: 'robots' },
  spec: {
    selector: { matchLabels: { app } },
    sla: { latencyP99: '10s', throughput: '10%' },
    actions: { mode: 'Observe' },
  },
};

function allWatched(agent: AgentProcess, containers: number): Promise<void> {
  const watching = 'robotgc_agent_watched_containers{state="Watching"}';
  return until(
    `${containers} containers are watched`,
    async () => (await agent.metric(watching)) === containers,
    120_000,
    500,
  );
}

interface Measurement {
  readonly agent: AgentProcess;
  readonly containers: number;
  readonly seconds: number;
  /** Program of the floor. */
  readonly floor: string;
}

async function measure({ agent, containers, seconds, floor }: Measurement): Promise<ScaleStep> {
  await using reading = await ReadFloor.start(floor, agent.pid, 'read');
  await using polling = await ReadFloor.start(floor, agent.pid, 'poll');
  const windowsTotal = 'robotgc_agent_windows_total';
  const windows = await agent.metric(windowsTotal);
  const before = tree(await allUsages(), agent.pid);
  const look = async () => ({
    agentReads: await readsOf(agent.pid),
    floorReads: await readsOf(reading.pid),
    readSeconds: await runSecondsOf(reading.pid),
    pollSeconds: await runSecondsOf(polling.pid),
  });
  const first = await look();
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - startMs) / 1000;
  const last = await look();
  const perSecond = (of: keyof typeof first): number => (last[of] - first[of]) / elapsed;
  const costs = new Map<string, ProcessCost>();
  for (const usage of before) {
    const now = await usageOf(usage.pid);
    if (now) costs.set(programOf(now), costOf(usage, now, elapsed));
  }
  const none = { cores: Number.NaN, rssBytes: Number.NaN, pssBytes: Number.NaN };
  return {
    containers,
    agent: costs.get('agent') ?? none,
    probe: costs.get('robotgc-probe') ?? none,
    floor: {
      readCores: perSecond('readSeconds'),
      readsPerSecond: perSecond('floorReads'),
      pollCores: perSecond('pollSeconds'),
    },
    readsPerSecond: perSecond('agentReads'),
    breaches: await agent.total('robotgc_agent_breaches_total'),
    windowsPerSecond: ((await agent.metric(windowsTotal)) - windows) / elapsed,
    lostEvents: await agent.metric('robotgc_agent_lost_events_total'),
  };
}

function costOf(first: ProcessUsage, last: ProcessUsage, seconds: number): ProcessCost {
  return {
    cores: (last.cpuSeconds - first.cpuSeconds) / seconds,
    rssBytes: last.rssBytes,
    pssBytes: last.pssBytes,
  };
}

function summary({ seconds, soakSeconds }: ScaleOptions, steps: readonly ScaleStep[]): ScaleResult {
  const last = steps.at(-1);
  const both = (pick: keyof ProcessCost): number => (last ? last.agent[pick] + last.probe[pick] : Number.NaN);
  return {
    bench: 'scale',
    seconds,
    soakSeconds,
    steps,
    cores: both('cores'),
    rssBytes: both('rssBytes'),
    pssBytes: both('pssBytes'),
    budget,
    isWithinBudget: steps
      .filter(({ containers }) => containers <= budget.containers)
      .every(
        ({ agent, probe }) =>
          agent.cores + probe.cores <= budget.cores && agent.rssBytes + probe.rssBytes <= budget.rssBytes,
      ),
  };
}

function words(step: ScaleStep | undefined): string {
  if (!step) return '';
  const one = (name: string, { cores, rssBytes }: ProcessCost): string =>
    `${name} ${(100 * cores).toFixed(2)} % of a core, ${(rssBytes / 2 ** 20).toFixed(0)} MiB RSS`;
  const floor = `only to read the same files ${(100 * step.floor.readCores).toFixed(2)} %`;
  return `${step.containers} containers: ${one('agent', step.agent)}; ${one('probe', step.probe)}; ${floor}`;
}
