/** What `robotgc agent` says of a pod's container at its limits, through a resize and a restart, against the kernel's own files read beside it. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { sum } from '../../src/host/probe/testing/buckets.ts';
import type { SignalWindow } from '../../src/model/index.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import { buildGoImage, buildPauseImage } from '../cluster/images.ts';
import { repositoryDir } from '../cluster/paths.ts';
import { builtBundle } from '../support/bundle.ts';
import { measured } from '../support/measured.ts';
import { untilEstablished } from '../support/robots-api.ts';
import { bootCluster } from './cluster.ts';
import type { KernelVersion } from './kernels.ts';
import { hogPod, limitMiB, policy, resizedMiB, sharedFolder } from './pod.ts';
import { ArrivedWindow, during, eventNames, kernelNames, Reading, Span, total, witnessed } from './readings.ts';
import { hogFolder, runScenario } from './testing.ts';

const mib = 2 ** 20;
const counts = z.record(z.string(), z.number());
const Seen = z.object({
  phases: z.array(Span),
  /** In the order of their lives. */
  containers: z.array(z.object({ id: z.string(), readings: z.array(Reading) })),
  podEventsBefore: counts,
  podEventsAfter: counts,
  windows: z.array(ArrivedWindow),
  exitCode: z.int(),
  words: z.string(),
});

interface Life {
  readonly windows: readonly ArrivedWindow[];
  readonly readings: readonly Reading[];
}

export function podLimitsTests(kernel: KernelVersion): void {
  let seen: z.infer<typeof Seen>;
  let lives: Life[];
  measured(async () => {
    seen = Seen.parse(await scenario(kernel));
    lives = seen.containers.map(({ id, readings }) => ({
      windows: seen.windows.filter(({ containerId }) => containerId === id),
      readings,
    }));
  });
  const phase = (name: string) => during(seen, name);
  const first = () => lives[0] ?? fail();
  const second = () => lives[1] ?? fail();

  it('no window is lost, of the container before its kill and of that after it, and no event of the probe', () => {
    expect(lives.map(({ windows }) => windows.length >= 3)).toEqual([true, true]);
    expect(sum(lives.map(({ windows }) => windows.length))).toBe(seen.windows.length);
    for (const { windows } of lives) {
      expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, index) => index));
      // One begins where the one before it ended.
      expect(windows.map(({ observedFrom }) => observedFrom !== undefined)).toEqual(windows.map((_, i) => i === 0));
      for (const [index, window] of windows.slice(1).entries()) {
        const gapMs = Date.parse(window.endedAt) - window.durationMs - Date.parse(windows[index]?.endedAt ?? '');
        expect(Math.abs(gapMs), window.endedAt).toBeLessThan(50);
      }
    }
    expect(sum(seen.windows.map(({ lostEvents }) => lostEvents))).toBe(0);
    // On a machine with cgroup v2 nothing of it is missing.
    expect(seen.windows.flatMap(({ missing, cgroup }) => [...(missing ?? []), ...(cgroup?.missing ?? [])])).toEqual([]);
    expect(new Set(seen.windows.map(({ pod, container }) => `${pod.namespace}/${pod.name}/${container}`))).toEqual(
      new Set(['default/hog/hog']),
    );
    expect(seen.exitCode, seen.words).toBe(0);
  });

  it('the counts of memory.events, over both containers, add up to exactly what the kernel counted of the pod', () => {
    // But for what came after the last reading, where the runtime was quicker to remove the cgroup: that window says so.
    const isGone = first().windows.at(-1)?.cgroup === null;
    for (const event of eventNames) {
      const counted = (seen.podEventsAfter[kernelNames[event]] ?? 0) - (seen.podEventsBefore[kernelNames[event]] ?? 0);
      for (const of of ['events', 'eventsLocal'] as const) {
        const shown = total(seen.windows, event, of);
        if (isGone) expect(shown, event).toBeLessThanOrEqual(counted);
        else expect(shown, event).toBe(counted);
      }
    }
    // The kubelet has the kernel kill a container whole, and then the kernel counts the one that it chose once more, if it is still there.
    expect(seen.podEventsAfter).toMatchObject({ oom_group_kill: 1 });
    expect([1, 2]).toContain(seen.podEventsAfter.oom_kill);
  });

  it.each<[string, (window: SignalWindow) => number, (reading: Reading) => number]>([
    ['memory.events high', ({ cgroup }) => cgroup?.events?.high ?? 0, ({ events }) => events.high ?? 0],
    ['memory.events max', ({ cgroup }) => cgroup?.events?.max ?? 0, ({ events }) => events.max ?? 0],
    [
      'memory.events.local max',
      ({ cgroup }) => cgroup?.eventsLocal?.max ?? 0,
      ({ eventsLocal }) => eventsLocal.max ?? 0,
    ],
    [
      'cpu.stat usage_usec',
      ({ cgroup, durationMs }) => (cgroup?.cpuUsedCores ?? 0) * durationMs * 1000,
      ({ cpu }) => cpu.usage_usec ?? 0,
    ],
    [
      'cpu.stat throttled_usec',
      ({ cgroup }) => (cgroup?.throttledNs ?? 0) / 1000,
      ({ cpu }) => cpu.throttled_usec ?? 0,
    ],
  ])('%s is at the end of each window what the kernel had counted by then', (_, ofWindow, ofReading) => {
    for (const { since, least, most } of lives.flatMap((life) => stretchesOf(life, ofReading))) {
      const shown = sum(since.map(ofWindow));
      expect(shown, since.at(-1)?.endedAt).toBeGreaterThanOrEqual(least);
      expect(shown, since.at(-1)?.endedAt).toBeLessThanOrEqual(most);
    }
  });

  it.each<['some' | 'full', (reading: Reading) => number]>([
    ['some', ({ someUs }) => someUs],
    ['full', ({ fullUs }) => fullUs],
  ])('memory.pressure %s is at the end of each window what the kernel had counted by then', (line, ofReading) => {
    for (const { since, least, most } of lives.flatMap((life) => stretchesOf(life, ofReading))) {
      const shown = sum(since.map((window) => stalledUs(window, line)));
      // A window is stalled all the time at most: where its files were read late, the kernel had counted more.
      const isFull = since.some(({ cgroup }) => cgroup?.memoryPressure?.[line] === 1);
      expect(shown, since.at(-1)?.endedAt).toBeGreaterThanOrEqual(isFull ? 0 : least);
      expect(shown, since.at(-1)?.endedAt).toBeLessThanOrEqual(most);
    }
  });

  it('memory.current lies between what was read around it, and memory.peak below the kernel’s', () => {
    // Charges are taken in batches of 64 pages for each CPU, and a limit may be exceeded and reclaimed between two readings.
    const slack = 8 * mib;
    for (const life of lives) {
      for (const { window, near, after } of witnessed(life.windows, life.readings)) {
        const use = window.cgroup?.memoryCurrentBytes ?? Number.NaN;
        expect(use, window.endedAt).toBeGreaterThanOrEqual(Math.min(...near.map(({ current }) => current)) - slack);
        expect(use, window.endedAt).toBeLessThanOrEqual(Math.max(...near.map(({ current }) => current)) + slack);
        expect(window.cgroup?.memoryPeakBytes, window.endedAt).toBeLessThanOrEqual(after.peak);
      }
    }
  });

  it('throttling above memory.high shows as its events and as pressure, with the limit', () => {
    const windows = phase('throttled above memory.high');
    expect(total(windows, 'high')).toBeGreaterThanOrEqual(5);
    expect(Math.max(...windows.map(({ cgroup }) => cgroup?.memoryPressure?.some ?? 0))).toBeGreaterThan(0);
    const high = first().readings.find((reading) => reading.high !== null)?.high;
    expect(windows.map(({ cgroup }) => cgroup?.memoryHighBytes)).toContain(high);
    for (const { window, near } of witnessed(first().windows, first().readings)) {
      if (!window.cgroup?.events?.high) continue;
      expect(
        near.map((reading) => reading.high),
        window.endedAt,
      ).toContain(window.cgroup.memoryHighBytes);
    }
  });

  it('reclaim at memory.max shows as its events, as stalls of the program’s threads, and as scanned pages', () => {
    const windows = phase('reclaims below memory.max');
    expect(total(windows, 'max')).toBeGreaterThanOrEqual(100);
    expect(sum(windows.map(({ kernelMemory }) => kernelMemory?.reclaimMemcg.count ?? 0))).toBeGreaterThan(0);
    expect(Math.max(...windows.map(({ cgroup }) => cgroup?.reclaim?.pagesStolenPerSecond ?? 0))).toBeGreaterThan(0);
  });

  it('each window has the limit that was in force at its end, before the resize, after it, and in the next container', () => {
    for (const life of lives) {
      for (const { window, near } of witnessed(life.windows, life.readings)) {
        expect(
          near.map(({ max }) => max),
          window.endedAt,
        ).toContain(window.cgroup?.memoryLimitBytes);
      }
    }
    const limits = ({ windows }: Life) => [
      ...new Set(windows.map(({ cgroup }) => (cgroup?.memoryLimitBytes ?? 0) / mib)),
    ];
    expect(limits({ ...first(), windows: first().windows.filter(({ cgroup }) => cgroup !== null) })).toEqual([
      limitMiB,
      resizedMiB,
    ]);
    expect(limits(second())).toEqual([resizedMiB]);
  });

  it('the resize restarts nothing: the same process in windows of either limit', () => {
    const pids = first().windows.map((window) => window.pids.join());
    expect(new Set(pids)).toEqual(new Set([pids[0]]));
    expect(phase('resized in place').length).toBeGreaterThanOrEqual(2);
  });

  it('the OOM kill of one process is told at the end of the container, and the next one is another', () => {
    const kills = first().windows.map(({ kernelMemory }) => kernelMemory?.oomVictims.count ?? 0);
    expect(sum(kills)).toBe(1);
    // It may take a moment to end.
    expect(sum(kills.slice(-2))).toBe(1);
    expect(sum(second().windows.map(({ kernelMemory }) => kernelMemory?.oomVictims.count ?? 0))).toBe(0);
    expect(second().windows[0]?.pids).not.toEqual(first().windows[0]?.pids);
    expect(Date.parse(second().windows[0]?.observedFrom ?? '')).toBeGreaterThan(
      Date.parse(first().windows.at(-1)?.endedAt ?? ''),
    );
  });
}

/** Deploys the pod and its policy, and drives it. @returns what the scenario printed */
async function scenario(kernel: KernelVersion): Promise<unknown> {
  const images = [await buildPauseImage(), await buildGoImage({ dir: hogFolder, pkg: '.', name: 'hog' })];
  await using cluster = await bootCluster(kernel, images);
  const prepare = [
    `mkdir -p ${sharedFolder}`,
    `mkfifo -m 666 ${sharedFolder}/requests`,
    `dd if=/dev/zero of=${sharedFolder}/pages bs=1M count=160 oflag=direct status=none`,
  ];
  const { code, stderr } = await cluster.machine.run(['sh', '-ec', `umask 0; ${prepare.join('\n')}`]);
  expect(code, stderr).toBe(0);
  await cluster.kubectl(['create', '-f', join(repositoryDir, 'crds')]);
  await untilEstablished((args) => cluster.kubectl(args));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [policy, hogPod(cluster.nodeName)] });
  await cluster.kubectl(['create', '-f', '-'], list);
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/hog', '--timeout=600s']);
  const { stdout } = await cluster.kubectl(['get', 'pod', 'hog', '--output=json']);
  const { metadata, status } = Pod.parse(JSON.parse(stdout));
  const hog = status.containerStatuses.find(({ name }) => name === 'hog') ?? fail();
  const settings = {
    robotgc: builtBundle(),
    kubectl: (await ensureBinaries(['kubectl'])).kubectl,
    kubeconfig: cluster.kubeconfigPath,
    node: cluster.nodeName,
    podGroup: `${cluster.podsCgroup}/burstable/pod${metadata.uid}`,
    containerId: hog.containerID.replace('containerd://', ''),
    folder: sharedFolder,
    resizedMiB,
  };
  return await runScenario(async () => cluster.machine, 'pod-limits', [JSON.stringify(settings)]);
}

const Pod = z.object({
  metadata: z.object({ uid: z.string() }),
  status: z.object({ containerStatuses: z.array(z.object({ name: z.string(), containerID: z.string() })) }),
});

interface Stretch {
  /** All windows since the first one with readings around it, whether or not the kernel's files were read around them too. */
  readonly since: readonly SignalWindow[];
  /** Between these the kernel counted meanwhile. */
  readonly least: number;
  readonly most: number;
}

function stretchesOf({ windows, readings }: Life, ofReading: (reading: Reading) => number): Stretch[] {
  const [base, ...later] = witnessed(windows, readings);
  if (base === undefined) return fail();
  expect(later.length).toBeGreaterThan(1);
  return later.map(({ window, before, after }) => ({
    since: windows.filter(({ seq }) => seq > base.window.seq && seq <= window.seq),
    least: ofReading(before) - ofReading(base.after) - 1,
    most: ofReading(after) - ofReading(base.before) + 1,
  }));
}

function stalledUs({ cgroup, durationMs }: SignalWindow, line: 'some' | 'full'): number {
  return (cgroup?.memoryPressure?.[line] ?? 0) * durationMs * 1000;
}

function fail(): never {
  throw new Error('it is not there');
}
