/**
 * Servers that this project did not write, as Debian and as their own modules build them, watched while they work: what is seen of them is
 * what their own metrics tell, and they serve on as before.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicNs, openProc } from '../../src/host/index.ts';
import {
  buildProbe,
  missingGround,
  removeTemporaryFolders,
  temporaryFolder,
} from '../../src/host/probe/testing/ground.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { SamplerRig } from '../robustness/sampler-rig.ts';
import { until } from '../support/until.ts';
import { between, gcOf, type OwnBooks, seenCycles } from './books.ts';
import { debianProgram } from './debian.ts';
import { apiserverOf, type Service, startContainerd, startEtcd, startPrometheus } from './services.ts';

const missing = missingGround();
const proc = openProc();
const wantedCycles = 6;
/** From the end of the pause as debug.GCStats takes it to the restart: some lines of the runtime, unless it is preempted there. */
const bookkeepingNs = 2_000_000;

describe.skipIf(missing !== '')(`servers of others, watched${missing}`, () => {
  beforeAll(buildProbe);
  afterAll(removeTemporaryFolders);

  it.each<[string, (folder: string) => Promise<Service>]>([
    ['prometheus of Debian', async (folder) => startPrometheus(await debianProgram('prometheus'), folder)],
    ['etcd of Debian', async (folder) => startEtcd(await debianProgram('etcd'), folder)],
    ['containerd of Debian', async (folder) => startContainerd(await debianProgram('containerd'), folder)],
    ['etcd', async (folder) => startEtcd((await ensureBinaries(['etcd'])).etcd, folder)],
    ['containerd', async (folder) => startContainerd((await ensureBinaries(['containerd'])).containerd, folder)],
    ['kube-apiserver', async () => apiserverOf(await startControlPlane())],
  ])('%s: cycles and pauses are those of its own metrics', async (name, start) => {
    const folder = join(temporaryFolder('server'), 'service');
    const service = await start(folder);
    const identity = proc.identity(service.pid);
    const books = async (): Promise<OwnBooks> => {
      const askedNs = monotonicNs();
      const gc = gcOf(await service.metrics());
      return { ...gc, askedNs, answeredNs: monotonicNs() };
    };
    try {
      await using rig = new SamplerRig();
      rig.watch(name, service.pid);
      await rig.untilState(name, 'Watching');
      expect(rig.missing(name)).toEqual([]);
      await rig.nextTicks();
      const before = await books();
      let after = before;
      await until(
        `${wantedCycles} collections`,
        async () => {
          after = await books();
          return after.cycles - before.cycles >= wantedCycles;
        },
        120_000,
        10,
      );
      await rig.nextTicks();

      const seen = seenCycles(rig.cycles.get(name) ?? [], rig.pauses.get(name) ?? []);
      const { certain, possible } = between(seen, before, after);
      expect(after.cycles - before.cycles).toBeGreaterThanOrEqual(certain.length);
      expect(after.cycles - before.cycles).toBeLessThanOrEqual(possible.length);
      const sum = (cycles: typeof seen, of: (cycle: (typeof seen)[number]) => number): number =>
        cycles.reduce((total, cycle) => total + of(cycle), 0);
      const pausesNs = after.pausesNs - before.pausesNs;
      // A microsecond: the metric is a sum of seconds as a floating-point number.
      expect(pausesNs).toBeLessThanOrEqual(sum(possible, (cycle) => cycle.pausesNs) + 1_000);
      expect(pausesNs).toBeGreaterThan(sum(certain, (cycle) => cycle.untilRestartNs - bookkeepingNs) - 1_000);
    } finally {
      // Watched no more, it still answers.
      expect(identity && proc.isAlive(identity)).toBe(true);
      expect(gcOf(await service.metrics()).cycles).toBeGreaterThan(0);
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    }
    expect(existsSync(`/proc/${service.pid}`)).toBe(false);
  });
});
