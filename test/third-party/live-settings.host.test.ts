/** Servers that this project did not write: their settings are changed under load, and they tell them themselves. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findGcGlobals } from '../../src/gobin/index.ts';
import { type GcSettings, type GcWriter, openFileReader, openGcWriter, openProc } from '../../src/host/index.ts';
import { missingGround, removeTemporaryFolders, temporaryFolder } from '../../src/host/probe/testing/ground.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import { randomFrom } from '../support/fuzz/random.ts';
import { until } from '../support/until.ts';
import { debianProgram } from './debian.ts';
import { type Service, startEtcd, startPrometheus } from './services.ts';

const missing = missingGround();
const proc = openProc();
const mib = 1024 * 1024;
const { signal } = new AbortController();
/** As services.ts starts them. */
const initial: GcSettings = { gcPercent: 15, memoryLimitBytes: null };
const goNoLimit = 2 ** 63;

const servers: readonly [name: string, start: (folder: string) => Promise<Service>][] = [
  ['etcd of its module', async (folder) => startEtcd((await ensureBinaries(['etcd'])).etcd, folder)],
  ['prometheus of Debian', async (folder) => startPrometheus(await debianProgram('prometheus'), folder)],
];

async function ownWords(service: Service): Promise<{ gogc: number; limitBytes: number; nextGcBytes: number }> {
  const metrics = await service.metrics();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return {
    gogc: value('go_gc_gogc_percent'),
    limitBytes: value('go_gc_gomemlimit_bytes'),
    nextGcBytes: value('go_memstats_next_gc_bytes'),
  };
}

async function underLoad(service: Service, work: (writer: GcWriter) => Promise<void>): Promise<void> {
  let isLoaded = true;
  const load = async (): Promise<void> => {
    while (isLoaded) await service.metrics();
  };
  const loads = [load(), load(), load(), load()];
  try {
    const identity = proc.identity(service.pid);
    if (identity === undefined) throw new Error('the server has ended');
    using file = openFileReader(`/proc/${service.pid}/exe`);
    const globals = findGcGlobals(file);
    if (globals.kind === 'refused') throw new Error(globals.message);
    using writer = openGcWriter(proc, identity, globals);
    await work(writer);
    expect(proc.isAlive(identity)).toBe(true);
  } finally {
    isLoaded = false;
    await Promise.allSettled(loads);
  }
}

describe.skipIf(missing !== '').each(servers)(`%s under load${missing}`, (_name, start) => {
  afterAll(removeTemporaryFolders);

  async function withServer(work: (service: Service, writer: GcWriter) => Promise<void>): Promise<void> {
    const folder = join(temporaryFolder('server'), 'service');
    const service = await start(folder);
    try {
      await underLoad(service, (writer) => work(service, writer));
    } finally {
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it('takes GOGC and GOMEMLIMIT up, says so in its own metrics, and has its own back at the end', () =>
    withServer(async (service, writer) => {
      const before = await ownWords(service);
      expect(before).toMatchObject({ gogc: 15, limitBytes: goNoLimit });

      const wider = await writer.write({ gcPercent: 300, memoryLimitBytes: 2048 * mib }, initial, { signal });
      await until('a cycle that takes it up', () => writer.effectOf(wider) === 'confirmed', 60_000);
      const changed = await ownWords(service);
      expect(changed).toMatchObject({ gogc: 300, limitBytes: 2048 * mib });
      expect(changed.nextGcBytes).toBeGreaterThan(2 * before.nextGcBytes);

      const back = await writer.write(initial, wider.after, { signal });
      await until('a cycle that takes the old ones up', () => writer.effectOf(back) === 'confirmed', 60_000);
      const restored = await ownWords(service);
      expect(restored).toMatchObject({ gogc: 15, limitBytes: goNoLimit });
      expect(restored.nextGcBytes).toBeLessThan(changed.nextGcBytes / 2);
    }));

  it('is unharmed by a thousand changes at random, and tells the last', () =>
    withServer(async (service, writer) => {
      const random = randomFrom(42);
      let settings = initial;
      for (let change = 1; change <= 1_000; change++) {
        const memoryLimitBytes = (200 + random.below(800)) * mib;
        const wanted = { gcPercent: 10 + random.below(500), memoryLimitBytes };
        settings = (await writer.write(wanted, settings, { signal })).after;
        expect(writer.read()?.settings).toEqual(wanted);
        // The words stand at once; a cycle that takes them up is waited for now and then.
        if (change % 100 === 0) await service.metrics();
      }
      expect(await ownWords(service)).toMatchObject({
        gogc: settings.gcPercent,
        limitBytes: settings.memoryLimitBytes,
      });
      const back = await writer.write(initial, settings, { signal });
      await until('a cycle that takes the old ones up', () => writer.effectOf(back) === 'confirmed', 60_000);
      expect(await ownWords(service)).toMatchObject({ gogc: 15, limitBytes: goNoLimit });
    }));
});
