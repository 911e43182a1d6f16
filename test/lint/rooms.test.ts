import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * Dependencies point one way: programs → I/O rooms → pure rooms → api. The rule stands in `biome.json`; this proves that it fires, on a copy
 * of the configuration beside files that break it.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Importing file, what it imports, whether the rule allows it. */
const cases: readonly (readonly [importer: string, imported: string, allowed: boolean])[] = [
  ['src/api/a1.ts', '../model/index.ts', false],
  ['src/api/a2.ts', '../kube/index.ts', false],
  ['src/api/a3.ts', './units.ts', true],
  ['src/api/a4.ts', 'node:fs', false],
  ['src/api/generate.ts', 'node:fs', true],
  ['src/model/m1.ts', '../api/index.ts', true],
  ['src/model/m2.ts', '../host/index.ts', false],
  ['src/model/m3.ts', 'node:child_process', false],
  ['src/diagnosis/d1.ts', '../model/index.ts', true],
  ['src/diagnosis/d2.ts', '../capture/index.ts', false],
  ['src/remedy/r1.ts', '../operator/main.ts', false],
  ['src/profile/p1.ts', 'node:zlib', true],
  ['src/profile/p2.ts', '../bundle/index.ts', false],
  ['src/trace/t1.ts', 'node:net', false],
  ['src/profile/p3.ts', '../http/index.ts', false],
  ['src/gobin/elf/g1.ts', '../../host/index.ts', false],
  ['src/gobin/elf/g2.test.ts', 'node:fs', true],
  ['src/gobin/testing/g3.ts', 'node:fs', true],
  ['src/host/h1.ts', '../gobin/index.ts', true],
  ['src/host/h2.ts', 'node:fs', true],
  ['src/host/h3.ts', '../agent/main.ts', false],
  ['src/host/h5.ts', '../http/index.ts', true],
  ['src/host/h4.ts', '../kube/index.ts', false],
  ['src/kube/k1.ts', '../host/index.ts', false],
  ['src/capture/c1.ts', '../bundle/index.ts', false],
  ['src/bundle/b1.ts', '../cli/exit.ts', false],
  ['src/agent/x1.ts', '../kube/index.ts', true],
  ['src/cli/x2.ts', '../agent/main.ts', true],
];

let directory: string;
let refused: ReadonlySet<string>;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'robotgc-rooms-'));
  const configuration = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  writeFileSync(
    join(directory, 'biome.json'),
    JSON.stringify({ ...configuration, $schema: undefined, vcs: undefined }),
  );
  for (const [importer, imported] of cases) {
    const path = join(directory, importer);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `export * from '${imported}';\n`);
  }
  const biome = join(root, 'node_modules/.bin/biome');
  const { stdout } = spawnSync(
    biome,
    ['lint', '--only=style/noRestrictedImports', '--reporter=github', '--max-diagnostics=none', '.'],
    {
      cwd: directory,
      encoding: 'utf8',
    },
  );
  refused = new Set(
    [...stdout.matchAll(/noRestrictedImports,file=(?:[^,]*\/)?(src\/[^,]+),/g)].map(([, file = '']) => file),
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('the lint rule for rooms', () => {
  it.each(cases)('%s importing %s: allowed %s', (importer, _, allowed) => {
    expect(!refused.has(importer)).toBe(allowed);
  });

  it('finds nothing in the code as it stands', () => {
    const biome = join(root, 'node_modules/.bin/biome');
    const args = ['lint', '--only=style/noRestrictedImports', '--reporter=github', 'src'];
    const { status, stdout } = spawnSync(biome, args, { cwd: root, encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.not.stringContaining('noRestrictedImports')]);
  });
});
