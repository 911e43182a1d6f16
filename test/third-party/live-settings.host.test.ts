/** A server that this project did not write, as its own modules build it: its settings are changed under load, and it tells them itself. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findGcGlobals } from '../../src/gobin/index.ts';
import { type GcSettings, openFileReader, openGcWriter, openProc } from '../../src/host/index.ts';
import { missingGround, removeTemporaryFolders, temporaryFolder } from '../../src/host/probe/testing/ground.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import { until } from '../support/until.ts';
import { type Service, startEtcd } from './services.ts';

const missing = missingGround();
const proc = openProc();
const mib = 1024 * 1024;
const { signal } = new AbortController();
/** As services.ts starts them. */
const initial: GcSettings = { gcPercent: 15, memoryLimitBytes: null };
const goNoLimit = 2 ** 63;

async function ownWords(service: Service): Promise<{ gogc: number; limitBytes: number; nextGcBytes: number }> {
  const metrics = await service.metrics();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return {
    gogc: value('go_gc_gogc_percent'),
    limitBytes: value('go_gc_gomemlimit_bytes'),
    nextGcBytes: value('go_memstats_next_gc_bytes'),
  };
}

describe.skipIf(missing !== '')(`etcd under load${missing}`, () => {
  afterAll(removeTemporaryFolders);

  it('takes GOGC and GOMEMLIMIT up, says so in its own metrics, and has its own back at the end', async () => {
    const folder = join(temporaryFolder('server'), 'service');
    const service = await startEtcd((await ensureBinaries(['etcd'])).etcd, folder);
    let isLoaded = true;
    const load = async (): Promise<void> => {
      while (isLoaded) await service.metrics();
    };
    const loads = [load(), load(), load(), load()];
    try {
      const identity = proc.identity(service.pid);
      if (identity === undefined) throw new Error('etcd has ended');
      using file = openFileReader(`/proc/${service.pid}/exe`);
      const globals = findGcGlobals(file);
      if (globals.kind === 'refused') throw new Error(globals.message);
      using writer = openGcWriter(proc, identity, globals);
      expect(await ownWords(service)).toMatchObject({ gogc: 15, limitBytes: goNoLimit });
      const before = (await ownWords(service)).nextGcBytes;

      const wider = await writer.write({ gcPercent: 300, memoryLimitBytes: 2048 * mib }, initial, { signal });
      await until('a cycle that takes it up', () => writer.effectOf(wider) === 'confirmed', 60_000);
      const changed = await ownWords(service);
      expect(changed).toMatchObject({ gogc: 300, limitBytes: 2048 * mib });
      expect(changed.nextGcBytes).toBeGreaterThan(2 * before);

      const back = await writer.write(initial, wider.after, { signal });
      await until('a cycle that takes the old ones up', () => writer.effectOf(back) === 'confirmed', 60_000);
      const restored = await ownWords(service);
      expect(restored).toMatchObject({ gogc: 15, limitBytes: goNoLimit });
      expect(restored.nextGcBytes).toBeLessThan(changed.nextGcBytes / 2);
      expect(proc.isAlive(identity)).toBe(true);
    } finally {
      isLoaded = false;
      await Promise.allSettled(loads);
      await service.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
