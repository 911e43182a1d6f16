/**
 * The agent as a process, on the real API server, with the real operator and the real robot in cgroups as the kubelet makes them. The test
 * plays the kubelet alone: it says which pod runs where. The whole cluster has its own test.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTinyGoLike, gofmtOf, oddPrograms, writeOdd } from '../../test/robustness/odd-programs.ts';
import { until } from '../../test/support/until.ts';
import { LABEL_POD, LABEL_POLICY, type RobotGCIncident, type RobotGCPolicy } from '../api/index.ts';
import { readBundle } from '../bundle/index.ts';
import { openProc, type ProcessIdentity } from '../host/index.ts';
import { get, policies } from '../kube/index.ts';
import { SignalWindow } from '../model/index.ts';
import { Loop } from './testing/loop.ts';
import { inCgroups } from './testing/pod-cgroup.ts';
import { WindowRecorder } from './testing/recorder.ts';
import { buildRobot, type Robot, startRobot, stopChild, whyNoHost } from './testing/robot.ts';

const missing = whyNoHost();
const proc = openProc();
const { node } = Loop;

describe.skipIf(missing !== undefined)(
  `the agent on a real API server${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let loop: Loop;
    let binary: string;
    let recorder: WindowRecorder;

    beforeAll(async () => {
      binary = buildRobot();
      const between = async (operatorUrl: string): Promise<string> => {
        recorder = await WindowRecorder.start(operatorUrl);
        return recorder.url;
      };
      loop = await Loop.start({ agentFlags: ['--log-level', 'debug'], between });
    }, 300_000);

    afterAll(async () => {
      await loop?.stop();
      await recorder?.close();
    }, 60_000);

    test('a breach becomes an incident with its evidence, once', async () => {
      const robot = await deploy('dispatch', { sla: tight });
      const states = await watched('dispatch');
      expect(states).toEqual([
        {
          pod: 'dispatch-0',
          container: 'robot',
          node,
          state: 'Watching',
          goVersion: expect.stringMatching(/^go1\./),
          pprof: 'podAddress',
          ...(existsSync('/sys/fs/cgroup/memory')
            ? { missing: [expect.objectContaining({ reason: 'CGROUP_V1' })] }
            : {}),
        },
      ]);
      const incident = await loop.untilIncident('dispatch', ({ status }) => status.bundle !== undefined);
      expect(incident.metadata.labels).toMatchObject({ [LABEL_POLICY]: 'dispatch', [LABEL_POD]: 'dispatch-0' });
      expect(incident.spec).toMatchObject({
        node,
        pod: { name: 'dispatch-0' },
        container: { name: 'robot', id: robot.containerId },
        trigger: { breachingWindows: expect.any(Number), ofWindows: 5 },
      });
      const detectMs = Date.parse(incident.spec.trigger.detectedAt) - Date.parse(incident.spec.trigger.firstBreachAt);
      expect(detectMs).toBeGreaterThanOrEqual(0);
      expect(detectMs).toBeLessThan(30_000);
      expect(incident.status.capture).toMatchObject({
        via: 'podAddress',
        failures: [],
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });

      const bundle = await stored(incident);
      const paths = bundle.manifest.files.map(({ path }) => path);
      expect(paths).toEqual(
        expect.arrayContaining([
          ...[
            'profiles/cpu.pprof',
            'profiles/heap.pprof',
            'profiles/allocs.pprof',
            'profiles/goroutine.txt',
            'profiles/trace.out',
          ],
          ...['signals.ndjson', 'snapshots/cgroup.json', 'snapshots/runtime.json', 'manifests/pod.yaml'],
        ]),
      );
      const windows = text(bundle, 'signals.ndjson')
        .trim()
        .split('\n')
        .map((line) => SignalWindow.parse(JSON.parse(line)));
      const captured = incident.status.capture?.startedAt ?? '';
      expect(windows.some(({ endedAt }) => endedAt < captured)).toBe(true);
      expect(windows.some(({ endedAt }) => endedAt > captured)).toBe(true);
      expect(windows.at(-1)?.activeRobots).toBeGreaterThan(0);
      // Our own trace stopped the world: told apart, and charged to nobody.
      expect(windows.reduce((sum, { capturePause }) => sum + capturePause.count, 0)).toBeGreaterThan(0);
      expect(text(bundle, 'manifests/pod.yaml')).toContain('[redacted]');
      expect(text(bundle, 'manifests/pod.yaml')).not.toContain('hunter2');

      const events = await loop.kubectl([
        'get',
        'events',
        '--namespace=robots',
        '--field-selector=reason=Breach',
        '--output=json',
      ]);
      expect(events).toContain('dispatch-0');
      await until(
        'windows are reported',
        async () => (await metric('robotgc_agent_sent_windows_total')) > 0,
        10_000,
        200,
      );
      // The breach goes on all the while; the cool-down of an hour holds the next one.
      expect(await loop.incidentsOf('dispatch')).toHaveLength(1);
    }, 180_000);

    test('what cannot be watched is refused with its reason, and runs on', async () => {
      const odd = (name: string): string => {
        const index = oddPrograms.findIndex((each) => each.name === name);
        return writeOdd(oddPrograms[index] ?? fail(), binary, loop.folder, index);
      };
      const serving = ['-pprof', '', '-metrics', '127.0.0.1:0', '-control', '127.0.0.1:0', '-sessions', '10'];
      const programs: readonly {
        readonly name: string;
        readonly command: readonly [string, ...string[]];
        readonly reason: string;
        readonly says: string;
      }[] = [
        { name: 'shell', command: ['sleep', '600'], reason: 'not-go', says: 'not a Go program' },
        { name: 'tiny', command: [buildTinyGoLike(loop.folder)], reason: 'tinygo', says: 'TinyGo' },
        {
          name: 'old',
          command: [gofmtOf('1.21.13', loop.folder)],
          reason: 'unsupported-go-version',
          says: 'go1.21.13',
        },
        {
          name: 'future',
          command: [odd('of an unknown future Go'), ...serving],
          reason: 'unsupported-go-version',
          says: 'go1.99',
        },
        { name: 'damaged', command: [odd('with 65,535 sections'), ...serving], reason: 'malformed', says: 'section' },
        {
          name: 'hostile',
          command: [odd('with a symbol table of 9 GiB in a sparse file of 10 GiB'), ...serving],
          reason: 'too-large',
          says: 'symbol',
        },
      ];
      const processes = new Map<string, ProcessIdentity>();
      for (const { name, command } of programs)
        processes.set(name, proc.identity(await deployOther(name, command)) ?? fail());
      for (const { name, reason, says } of programs) {
        expect(await untilState(name, ({ state }) => state === 'Refused')).toEqual([
          {
            pod: `${name}-0`,
            container: 'robot',
            node,
            state: 'Refused',
            reason,
            message: expect.stringContaining(says),
          },
        ]);
        expect(proc.isAlive(processes.get(name) ?? fail())).toBe(true);
      }
    }, 120_000);

    test('an agent that is killed and started again leaves a gap in the windows at the operator that says so', async () => {
      // Windows are told while an incident is open: as long as its evidence is gathered, and again after the kill.
      const { containerId } = await deploy('lasting', { sla: tight, duration: '20s' });
      const taken = (): SignalWindow[] =>
        recorder.windows.filter((window) => window.containerId === containerId && !isRepeated(window));
      const isRepeated = (window: SignalWindow): boolean =>
        recorder.windows.find((each) => each.containerId === containerId && each.endedAt === window.endedAt) !== window;
      await until('windows at the operator', () => taken().length >= 5, 60_000, 100);
      await stopChild(loop.agent.child, 'SIGKILL');
      const killedMs = Date.now();
      await loop.startAgent();
      const lives = (): SignalWindow[][] => {
        const anew = taken().findIndex(({ endedAt }) => Date.parse(endedAt) > killedMs);
        return anew < 0 ? [taken(), []] : [taken().slice(0, anew), taken().slice(anew)];
      };
      await until('windows again', () => (lives()[1]?.length ?? 0) >= 4, 60_000, 100);
      const [before = [], after = []] = lives();

      const [first, ...later] = after;
      expect(first?.seq).toBe(0);
      // Whatever the killed one saw and did not tell lies in the gap too.
      expect(startOf(first ?? fail())).toBeGreaterThanOrEqual(endOf(before.at(-1) ?? fail()));
      expect(Date.parse(first?.observedFrom ?? '')).toBeGreaterThanOrEqual(endOf(before.at(-1) ?? fail()));
      expect(later.every(({ observedFrom }) => observedFrom === undefined)).toBe(true);
      // Within one life nothing is missing, and nothing is there twice.
      for (const life of [before, after]) {
        expect(life.map(({ seq }) => seq)).toEqual(life.map((_, i) => (life[0]?.seq ?? 0) + i));
        for (const [i, window] of life.entries()) {
          const next = life[i + 1];
          if (next) expect(Math.abs(startOf(next) - endOf(window))).toBeLessThan(50);
        }
      }
    }, 180_000);

    test('a policy that is gone, and a pod that is gone, leave nothing behind', async () => {
      await loop.kubectl(['delete', 'pod', 'shell-0', '--namespace=robots', '--grace-period=0', '--force']);
      await untilState('shell', (_, all) => all.length === 0);
      await loop.kubectl(['delete', 'rgp', 'shell', '--namespace=robots']);
      expect(loop.agent.child.exitCode).toBeNull();
    }, 60_000);

    test('evidence survives an operator that is away and an agent that is killed', async () => {
      await stopChild(loop.operator.child, 'SIGKILL');
      await deploy('orphan', { sla: tight });
      const incident = await loop.untilIncident('orphan', ({ status }) => status.capture?.endedAt !== undefined);
      expect(incident.status.bundle).toBeUndefined();
      await stopChild(loop.agent.child, 'SIGKILL');
      // Another robot's may wait beside it.
      const waiting = (await readdir(loop.path('agent', 'outbox'))).filter((name) => name.endsWith('.tar.gz'));
      expect(waiting.filter((name) => name.startsWith(incident.metadata.uid))).toHaveLength(1);
      await loop.startOperator();
      await loop.startAgent();
      const delivered = await loop.untilIncident('orphan', ({ status }) => status.bundle !== undefined);
      const bundle = await stored(delivered);
      expect(bundle.manifest.seal?.capturedSha256).toBe(incident.status.capture?.sha256);
      await until(
        'the outbox is empty',
        async () => (await readdir(loop.path('agent', 'outbox'))).length === 0,
        30_000,
        100,
      );
      expect(await loop.incidentsOf('orphan')).toHaveLength(1);
    }, 180_000);

    test('a stop in the middle of a capture takes under five seconds and keeps what was had', async () => {
      const { containerId } = await deploy('halted', { sla: tight, duration: '30s' });
      await loop.untilIncident('halted', ({ status }) => status.capture !== undefined);
      const { child, exited } = loop.agent;
      const beganMs = performance.now();
      child.kill('SIGTERM');
      expect(await exited).toBe(0);
      expect(performance.now() - beganMs).toBeLessThan(5_000);
      // What it knows of the heaps is there for the next one.
      const histories = JSON.parse(await readFile(loop.path('agent', 'heap-histories.json'), 'utf8'));
      expect(histories[containerId].stretches[0]).toMatchObject({ heapLiveBytes: expect.any(Number) });
      // As of an agent that was killed while it wrote.
      await writeFile(loop.path('agent', 'heap-histories.json.0a1b.partial'), '{"');
      await loop.startAgent();
      expect(await readdir(loop.path('agent'))).not.toContain('heap-histories.json.0a1b.partial');
      const incident = await loop.untilIncident('halted', ({ status }) => status.bundle !== undefined);
      expect(incident.status.capture?.failures?.map(({ code }) => code)).toContain('aborted');
      const bundle = await stored(incident);
      expect(text(bundle, 'signals.ndjson')).not.toBe('');
    }, 180_000);

    test('a capture that a kill cut off is made up for by the next agent', async () => {
      await deploy('killed', { sla: tight, duration: '6s' });
      const begun = await loop.untilIncident('killed', ({ status }) => status.capture !== undefined);
      await stopChild(loop.agent.child, 'SIGKILL');
      await loop.startAgent();
      const incident = await loop.untilIncident('killed', ({ status }) => status.bundle !== undefined);
      expect(incident.metadata.uid).toBe(begun.metadata.uid);
      expect(incident.status.capture?.startedAt).not.toBe(begun.status.capture?.startedAt);
      expect(incident.status.capture?.failures).toEqual([]);
    }, 180_000);

    const tight = { latencyP99: '1ms', gcShareOfLatency: '1%' };

    interface DeployOptions {
      readonly sla: object;
      readonly duration?: string;
    }

    async function deploy(name: string, options: DeployOptions): Promise<{ containerId: string }> {
      const made = await makePod(name);
      const robot = await startRobot(binary, { gogc: 20, sessions: 2000, cgroupProcs: made.procsFiles });
      loop.keep(robot);
      await applyPolicy(name, robot, options);
      return made;
    }

    /** Another program than the robot. @returns its process */
    async function deployOther(name: string, command: readonly [string, ...string[]]): Promise<number> {
      const made = await makePod(name);
      const [program, ...words] = inCgroups(made.procsFiles, command);
      const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'ignore'] });
      loop.keep({ stop: () => stopChild(child) });
      await applyPolicy(name, { pprofPort: 6060, metricsPort: 9090 }, { sla: tight });
      return child.pid ?? 0;
    }

    async function applyPolicy(
      name: string,
      ports: Pick<Robot, 'pprofPort' | 'metricsPort'>,
      options: DeployOptions,
    ): Promise<void> {
      await loop.apply({
        apiVersion: 'robotgc.dev/v1alpha1',
        kind: 'RobotGCPolicy',
        metadata: { name, namespace: 'robots' },
        spec: {
          selector: { matchLabels: { app: name } },
          sla: options.sla,
          activity: { podMetric: { port: ports.metricsPort, name: 'robot_active_sessions' } },
          actions: { mode: 'Observe', cooldown: '1h' },
          capture: { pprof: { port: ports.pprofPort }, duration: options.duration ?? '3s' },
        },
      });
    }

    /** A pod as the scheduler binds it and the kubelet reports it. */
    async function makePod(name: string): Promise<{ containerId: string; procsFiles: readonly string[] }> {
      const container = { name: 'robot', image: 'robot', env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] };
      const uid = await loop.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `${name}-0`, namespace: 'robots', labels: { app: name } },
        spec: { nodeName: node, containers: [container], automountServiceAccountToken: false },
      });
      const { id, procsFiles } = await loop.startContainer(`${name}-0`, uid);
      return { containerId: id, procsFiles };
    }

    type States = NonNullable<RobotGCPolicy['status']['containers']>;

    async function untilState(name: string, holds: (first: States[number], all: States) => boolean): Promise<States> {
      let states: States = [];
      const look = async (): Promise<boolean> => {
        states = (await get(loop.transport, policies, { namespace: 'robots', name })).status.containers ?? [];
        const none: States[number] = { pod: '', container: '', node: '', state: 'Waiting' };
        return holds(states[0] ?? none, states);
      };
      await loop.until(`containers of ${name}`, look, 40_000, () => states);
      return states;
    }

    const watched = (name: string): Promise<States> => untilState(name, ({ pprof }) => pprof !== undefined);

    async function stored({ status }: RobotGCIncident): ReturnType<typeof readBundle> {
      return readBundle(loop.path('operator', 'bundles', status.bundle?.uri.replace('folder:', '') ?? ''));
    }

    async function metric(name: string): Promise<number> {
      const page = await loop.agentMetrics();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]);
    }
  },
);

const endOf = ({ endedAt }: SignalWindow): number => Date.parse(endedAt);
const startOf = (window: SignalWindow): number => endOf(window) - window.durationMs;

function fail(): never {
  throw new Error('it is not there');
}

function text(bundle: Awaited<ReturnType<typeof readBundle>>, path: string): string {
  return Buffer.from(bundle.files.get(path) ?? fail()).toString('utf8');
}
