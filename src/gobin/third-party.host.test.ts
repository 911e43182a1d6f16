import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { realGoProgram } from './testing/hostile.ts';
import type { AttachPlan, OptionalGroupName } from './types.ts';

/** Programs that this project did not write, and that the test cluster (`npm run cluster`) has built or Debian has installed. */
const cluster = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'robotgc', 'cluster');
const debian = ['prometheus', 'prometheus-node-exporter', 'runc', 'podman', 'rclone', 'restic', 'caddy', 'gh', 'hugo'];

function programs(): { name: string; file: string }[] {
  const built = existsSync(cluster) ? readdirSync(cluster).map((name) => join(cluster, name, 'bin')) : [];
  const files = [...built.filter(existsSync).flatMap((bin) => readdirSync(bin).map((name) => join(bin, name)))];
  for (const directory of ['/usr/bin', '/usr/sbin']) files.push(...debian.map((name) => join(directory, name)));
  const found = files.filter(existsSync).map((file) => ({ name: file.split('/').at(-1) ?? file, file }));
  return [...new Map(found.map((program) => [program.name, program])).values()];
}

const limitMs = 100;
const found = programs();

/** The quickest of a few: what another process on this machine takes is no part of the promise. */
function timedPlan(file: string): { plan: ReturnType<typeof planAttach>; ms: number } {
  const reader = bytesReader(readFileSync(file));
  let plan = planAttach(reader);
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const start = process.cpuUsage();
    plan = planAttach(reader);
    const { user, system } = process.cpuUsage(start);
    ms = Math.min(ms, (user + system) / 1000);
  }
  return { plan, ms };
}

const groupsOf = (plan: AttachPlan): OptionalGroupName[] =>
  plan.optional.flatMap((group) => (group.kind === 'ok' ? [group.group] : []));

describe.skipIf(found.length === 0)(
  `programs of others${found.length === 0 ? ' (skipped: no cluster was ever built here)' : ''}`,
  () => {
    it.each(found)('$name is planned or refused with a reason, within 100 ms', ({ file }) => {
      const { plan, ms } = timedPlan(file);
      expect(ms).toBeLessThan(limitMs);
      if (plan.kind === 'refused') {
        // Debian 12's Go is older than what is supported.
        expect(['unsupported-go-version', 'not-go']).toContain(plan.reason);
        return;
      }
      expect(groupsOf(plan)).toEqual(expect.arrayContaining(['heapGrow', 'pollPark', 'assistSlow']));
    });

    it.runIf(found.some(({ name }) => name === 'kube-apiserver'))('kube-apiserver has them all', () => {
      const file = found.find(({ name }) => name === 'kube-apiserver')?.file ?? '';
      const { plan } = timedPlan(file);
      expect(plan.kind === 'ok' && groupsOf(plan)).toEqual([
        'heapGrow',
        'tlsClient',
        'tlsServer',
        'pollPark',
        'assistSlow',
      ]);
    });
  },
);

it("the TypeScript compiler's own program has no TLS, and all the rest", () => {
  const plan = planAttach(bytesReader(realGoProgram()));
  expect(plan.kind === 'ok' && groupsOf(plan)).toEqual(['heapGrow', 'pollPark', 'assistSlow']);
});
