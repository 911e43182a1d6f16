/**
 * A thousand Go processes a minute come and go while two are watched for long: nothing of theirs is missed, nothing of the others stays.
 *
 *   ROBOTGC_CROWD_SECONDS   how long (default 8)
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { SamplerRig } from './sampler-rig.ts';

const missing = missingGround();
const perMinute = 1_000;
const seconds = Number(process.env.ROBOTGC_CROWD_SECONDS ?? 8);

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
  afterAll(removeTemporaryFolders);

  it.each(['in one container', 'in a container each'])(
    '%s: those that are watched meanwhile are seen exactly',
    async (where) => {
      await using first = new Churn(binary);
      await using second = new Churn(binary, { GOGC: '50' });
      const churns = [first, second];
      const before = await Promise.all(churns.map(atRest));
      await using rig = new SamplerRig();
      rig.populations.set('first', [first.pid]).set('second', [second.pid]);
      rig.follow();
      await rig.untilState('first', 'Watching');
      await rig.untilState('second', 'Watching');
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
      const seen = { came: 0, watched: new Set<number>() };
      const crowd = spawn(
        process.execPath,
        [fileURLToPath(new URL('./crowd.ts', import.meta.url)), String(perMinute), String(seconds), brief],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      for await (const line of createInterface({ input: crowd.stdout })) {
        const pid = Number(line.slice(1));
        const key = where === 'in one container' ? 'crowd' : `crowd-${pid}`;
        const others = rig.populations.get('crowd')?.filter((each) => each !== pid) ?? [];
        if (line.startsWith('+')) {
          seen.came += 1;
          rig.watch(key, ...(key === 'crowd' ? [...others, pid] : [pid]));
        } else if (key === 'crowd') {
          rig.watch(key, ...others);
        } else {
          rig.forget(key);
        }
      }
      const tookSeconds = (performance.now() - startedMs) / 1000;
      const { user, system } = process.cpuUsage(cpuBefore.agent);
      const cores = {
        agent: (user + system) / 1e6 / tookSeconds,
        probe: (cpuSecondsOf(probe) - cpuBefore.probe) / tookSeconds,
      };

      const after = await Promise.all(churns.map(atRest));
      rig.forget('crowd');
      await rig.nextTicks(3);
      for (const [i, key] of ['first', 'second'].entries()) {
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
      expect(seen.came).toBeGreaterThan((perMinute / 60) * seconds * 0.8);
      const crowdWindows = [...rig.windows]
        .filter(([key]) => key.startsWith('crowd'))
        .flatMap(([, windows]) => windows);
      expect(crowdWindows.some(({ gcPause }) => gcPause.count > 0)).toBe(true);

      // None was refused, and nothing was written about any of them.
      const refused = [...rig.states.values()].flat().filter(({ state }) => state === 'Refused');
      expect(refused).toEqual([]);
      expect(rig.log.length).toBeLessThan(3);
      await until('all of the crowd is let go', () => descriptorsOf(probe) <= baseline.descriptors, 10_000, 100);
      expect(kernelObjectsOf(probe).link.length).toBe(baseline.links);
      expect(descriptorsOf(process.pid)).toBeLessThanOrEqual(baseline.own + 4);
      expect(residentBytesOf(probe)).toBeLessThan(64 * 2 ** 20);
      console.log(
        `${seen.came} processes ${where} in ${tookSeconds.toFixed(0)} s: agent ${cores.agent.toFixed(3)} cores, probe ${cores.probe.toFixed(3)}`,
      );
      expect(cores.agent).toBeLessThan(0.6);
      expect(cores.probe).toBeLessThan(0.3);
    },
  );
});
