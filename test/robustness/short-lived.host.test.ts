/**
 * A thousand Go processes a minute come and go while two are watched for long: nothing of theirs is missed, nothing of the others stays.
 * All are found as the agent finds them, by their cgroups.
 *
 *   ROBOTGC_CROWD_SECONDS   how long (default 20)
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePodCgroup, type PodCgroup } from '../../src/agent/testing/pod-cgroup.ts';
import { ContainerScanner, openProc } from '../../src/host/index.ts';
import { sum } from '../../src/host/probe/testing/buckets.ts';
import { atRest, buildChurn, Churn } from '../../src/host/probe/testing/churn.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { until } from '../support/until.ts';
import { cpuSecondsOf, residentBytesOf } from './children.ts';
import { descriptorsOf, kernelObjectsOf } from './kernel-objects.ts';
import { SamplerRig, target } from './sampler-rig.ts';

const missing = missingGround();
const perMinute = 1_000;
const seconds = Number(process.env.ROBOTGC_CROWD_SECONDS ?? 20);

describe.skipIf(missing !== '')(`${perMinute} short-lived Go processes a minute${missing}`, () => {
  let binary = '';
  let brief = '';
  beforeAll(() => {
    buildProbe();
    binary = buildChurn();
    brief = join(temporaryFolder('brief'), 'execs');
    execFileSync('go', ['build', '-o', brief, '.'], {
      cwd: fileURLToPath(new URL('./testdata/execs', import.meta.url)),
    });
  });
  const group = `robotgc-crowd-${randomBytes(4).toString('hex')}`;
  const cgroups: PodCgroup[] = [];
  afterAll(async () => {
    for (const cgroup of cgroups) await cgroup.remove();
    removeTemporaryFolders();
  });

  /** @returns the container's id */
  function inContainer({ pid }: Churn): string {
    const id = randomBytes(32).toString('hex');
    const cgroup = makePodCgroup(group, randomUUID(), id);
    cgroups.push(cgroup);
    for (const file of cgroup.procsFiles) writeFileSync(file, String(pid));
    return id;
  }

  it.each([
    ['in one container', 'one'],
    ['in a container each', 'each'],
  ])('%s: those that are watched meanwhile are seen exactly', async (where, containers) => {
    await using first = new Churn(binary);
    await using second = new Churn(binary, { GOGC: '50' });
    const churns = [first, second];
    const before = await Promise.all(churns.map(atRest));
    const watched = churns.map(inContainer);
    const scanner = new ContainerScanner(openProc(), () => performance.now());
    await using rig = new SamplerRig({
      populate: () => new Map(scanner.scan().map(({ containerId, pids, cgroups }) => [containerId, { pids, cgroups }])),
    });
    /** What the API server would tell of pods. */
    const crowded = new Map<string, number>();
    const follow = (): void => rig.sampler.setTargets([...watched, ...crowded.keys()].map(target));
    follow();
    for (const id of watched) await rig.untilState(id, 'Watching');
    await rig.nextTicks();
    const probe = rig.probe.processId;
    const baseline = {
      descriptors: descriptorsOf(probe),
      links: kernelObjectsOf(probe).link.length,
      own: descriptorsOf(process.pid),
    };
    const cpuBefore = { probe: cpuSecondsOf(probe), agent: process.cpuUsage() };
    const startedMs = performance.now();

    for (const churn of churns) await churn.ask('start');
    let came = 0;
    const crowd = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('./crowd.ts', import.meta.url)),
        String(perMinute),
        String(seconds),
        containers,
        group,
        brief,
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    for await (const line of createInterface({ input: crowd.stdout })) {
      const id = line.split(' ')[1] ?? '';
      const living = (crowded.get(id) ?? 0) + (line.startsWith('+') ? 1 : -1);
      if (line.startsWith('+')) came += 1;
      if (living > 0 || containers === 'one') crowded.set(id, living);
      else crowded.delete(id);
      follow();
    }
    const tookSeconds = (performance.now() - startedMs) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore.agent);
    const cores = {
      agent: (user + system) / 1e6 / tookSeconds,
      probe: (cpuSecondsOf(probe) - cpuBefore.probe) / tookSeconds,
    };

    const after = await Promise.all(churns.map(atRest));
    crowded.clear();
    follow();
    await rig.nextTicks(3);
    for (const [i, key] of watched.entries()) {
      const gcPauses = (rig.pauses.get(key) ?? []).filter(({ reason }) => reason === 1 || reason === 2);
      expect(gcPauses.length, key).toBe(
        sum(after[i]?.pausesTotal.counts ?? []) - sum(before[i]?.pausesTotal.counts ?? []),
      );
      expect(gcPauses.length).toBeGreaterThan(20);
      expect(rig.cycles.get(key)).toHaveLength((after[i]?.numGC ?? 0) - (before[i]?.numGC ?? 0));
      const seqs = rig.windows.get(key)?.map(({ seq }) => seq) ?? [];
      expect(seqs).toEqual(seqs.map((_, n) => n));
    }
    expect(rig.flushes.reduce((lost, flush) => lost + flush.lost, 0)).toBe(0);
    expect(rig.ends).toEqual([]);
    expect(came).toBeGreaterThan((perMinute / 60) * seconds * 0.8);
    const crowdWindows = [...rig.windows].filter(([key]) => !watched.includes(key)).flatMap(([, windows]) => windows);
    expect(crowdWindows.some(({ gcPause }) => gcPause.count > 0)).toBe(true);

    // None was refused but the shell that some of them still were, and nothing was written about any of them.
    const refused = [...rig.states.values()]
      .flat()
      .filter((state) => state.state === 'Refused' && state.reason !== 'not-go');
    expect(refused).toEqual([]);
    expect(rig.log.length).toBeLessThan(3);
    await until('all of the crowd is let go', () => descriptorsOf(probe) <= baseline.descriptors, 10_000, 100);
    expect(kernelObjectsOf(probe).link.length).toBe(baseline.links);
    expect(descriptorsOf(process.pid)).toBeLessThanOrEqual(baseline.own + 4);
    expect(residentBytesOf(probe)).toBeLessThan(64 * 2 ** 20);
    console.log(
      `${came} processes ${where} in ${tookSeconds.toFixed(0)} s: agent ${cores.agent.toFixed(3)} cores, probe ${cores.probe.toFixed(3)}`,
    );
    expect(cores.agent).toBeLessThan(0.6);
    expect(cores.probe).toBeLessThan(0.3);
  });
});
