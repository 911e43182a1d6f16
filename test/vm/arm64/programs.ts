/** The product, programs to watch and scenarios, built here for arm64. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { repositoryDir } from '../../cluster/paths.ts';
import { builtBundle } from '../../support/bundle.ts';
import type { CpioEntry } from '../cpio.ts';
import type { Arm64Supplies } from './supplies.ts';

export const guestPaths = {
  node: '/bin/node',
  churn: '/churn',
  /** Position-independent, without symbols. */
  churnStripped: '/churn-stripped',
  robotgc: '/dist/robotgc.js',
  probe: '/bpf/build/robotgc-probe',
  exactness: '/exactness.mjs',
  written: '/written.mjs',
} as const;

const guestFolder = fileURLToPath(new URL('./guest', import.meta.url));
const churnFolder = join(repositoryDir, 'src/host/probe/testdata/churn');
const libraryFolder = 'lib/aarch64-linux-gnu';
const nodeLibraries = [
  ...['ld-linux-aarch64.so.1', 'libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libgcc_s.so.1'].map(
    (name) => `${libraryFolder}/${name}`,
  ),
  `usr/${libraryFolder}/libstdc++.so.6`,
];

/** The files of the machine. @param folder where they may be built */
export function arm64Files({ root, node }: Arm64Supplies, folder: string): readonly CpioEntry[] {
  const built = (path: string, from: string): CpioEntry => ({ path, type: 'file', content: readFileSync(from) });
  return [
    ...['dev', 'proc', 'sys', 'tmp', 'bin', 'lib', 'dist', 'bpf', 'bpf/build'].map(
      (path): CpioEntry => ({ path, type: 'directory' }),
    ),
    built('init', buildGo(guestFolder, join(folder, 'init'))),
    built(guestPaths.churn.slice(1), buildGo(churnFolder, join(folder, 'churn'))),
    built(guestPaths.churnStripped.slice(1), buildGo(churnFolder, join(folder, 'churn-stripped'), stripped)),
    built(guestPaths.probe.slice(1), buildProbe(root, join(folder, 'probe'))),
    built(guestPaths.robotgc.slice(1), builtBundle()),
    built(guestPaths.node.slice(1), node),
    scenario('exactness'),
    scenario('written'),
    ...nodeLibraries.map((path) => built(`lib/${path.slice(path.lastIndexOf('/') + 1)}`, join(root, path))),
  ];
}

const stripped = ['-buildmode=pie', '-ldflags=-s -w'];

function scenario(name: 'exactness' | 'written'): CpioEntry {
  const { outputFiles } = buildSync({
    entryPoints: [join(repositoryDir, `test/vm/scenarios/${name}.ts`)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  });
  return { path: guestPaths[name].slice(1), type: 'file', content: outputFiles[0]?.contents ?? Buffer.of() };
}

function buildGo(cwd: string, file: string, flags: readonly string[] = []): string {
  const env = { ...process.env, GOARCH: 'arm64', CGO_ENABLED: '0' };
  execFileSync('go', ['build', '-buildvcs=false', ...flags, '-o', file, '.'], { cwd, env });
  return file;
}

/** With the headers of this machine's kernel for what the BPF programs include: nothing in there differs. */
function buildProbe(root: string, build: string): string {
  const here = execFileSync('cc', ['-print-multiarch'], { encoding: 'utf8' }).trim();
  const settings = ['CC=aarch64-linux-gnu-gcc', 'ARCH=arm64', `MULTIARCH=${here}`, `BUILD=${build}`];
  const env = {
    ...process.env,
    CPPFLAGS: `-idirafter ${root}/usr/include`,
    LDFLAGS: `-L${root}/usr/${libraryFolder}`,
  };
  execFileSync('make', ['-s', '-C', join(repositoryDir, 'bpf'), ...settings, `${build}/robotgc-probe`], { env });
  execFileSync('aarch64-linux-gnu-strip', [`${build}/robotgc-probe`]);
  return `${build}/robotgc-probe`;
}
