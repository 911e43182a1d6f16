import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ensureBinaries } from '../../test/cluster/binaries.ts';
import { debianProgram, debianPrograms } from '../../test/third-party/debian.ts';
import { planAttach } from './index.ts';
import { bytesReader } from './reader.ts';
import { realGoProgram } from './testing/hostile.ts';
import type { AttachPlan, OptionalGroupName } from './types.ts';

/** Programs that this project did not write: as their own modules build them for the test cluster, and as Debian 13 does. */
const programs: readonly { readonly name: string; readonly file: () => Promise<string> }[] = [
  ...(['etcd', 'kube-apiserver', 'containerd', 'containerd-shim-runc-v2', 'coredns', 'helm'] as const).map((name) => ({
    name,
    file: async () => (await ensureBinaries([name]))[name],
  })),
  ...debianPrograms.map((name) => ({ name: `${name} of Debian`, file: () => debianProgram(name) })),
];

const planOf = (file: string) => planAttach(bytesReader(readFileSync(file)));
const groupsOf = (plan: AttachPlan): OptionalGroupName[] =>
  plan.optional.flatMap((group) => (group.kind === 'ok' ? [group.group] : []));

describe('programs of others', () => {
  it.each(programs)('$name is planned, with all that goes beside the cycles', async ({ file }) => {
    const plan = planOf(await file());
    expect(plan.kind === 'ok' && groupsOf(plan)).toEqual(
      expect.arrayContaining(['heapGrow', 'pollPark', 'assistSlow']),
    );
  });

  it('kube-apiserver has them all', async () => {
    const plan = planOf((await ensureBinaries(['kube-apiserver']))['kube-apiserver']);
    expect(plan.kind === 'ok' && groupsOf(plan)).toEqual([
      'heapGrow',
      'tlsClient',
      'tlsServer',
      'pollPark',
      'assistSlow',
    ]);
  });
});

it("the TypeScript compiler's own program has no TLS, and all the rest", () => {
  const plan = planAttach(bytesReader(realGoProgram()));
  expect(plan.kind === 'ok' && groupsOf(plan)).toEqual(['heapGrow', 'pollPark', 'assistSlow']);
});
