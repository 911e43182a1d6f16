import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Sources of the programs that the tests build. */
export const testdata = fileURLToPath(new URL('../testdata/', import.meta.url));

export const newestToolchain = '1.26.8';
/** The newest patch of each supported minor; toolchains come through Go's module proxy. */
export const supportedToolchains = ['1.22.12', '1.23.12', '1.24.13', '1.25.8', newestToolchain] as const;
/** Real programs of versions that must be refused: build info by pointers, other tables, too old. */
export const refusedToolchains = ['1.17.13', '1.20.14', '1.21.13'] as const;

export interface Variant {
  readonly name: string;
  readonly flags: readonly string[];
  readonly cgo: boolean;
  readonly stripped: boolean;
  readonly pie: boolean;
  /** The variant with a symbol table and the same code, for the oracles. */
  readonly twin: string;
}

const strip = ['-ldflags=-s -w'];
const pieFlag = ['-buildmode=pie'];

export const variants: readonly Variant[] = [
  { name: 'plain', flags: [], cgo: false, stripped: false, pie: false, twin: 'plain' },
  { name: 'stripped', flags: strip, cgo: false, stripped: true, pie: false, twin: 'plain' },
  { name: 'trimpath', flags: ['-trimpath'], cgo: false, stripped: false, pie: false, twin: 'trimpath' },
  {
    name: 'trimpath-stripped',
    flags: ['-trimpath', ...strip],
    cgo: false,
    stripped: true,
    pie: false,
    twin: 'trimpath',
  },
  { name: 'pie', flags: pieFlag, cgo: false, stripped: false, pie: true, twin: 'pie' },
  { name: 'pie-stripped', flags: [...pieFlag, ...strip], cgo: false, stripped: true, pie: true, twin: 'pie' },
  { name: 'cgo', flags: [], cgo: true, stripped: false, pie: false, twin: 'cgo' },
  { name: 'cgo-stripped', flags: strip, cgo: true, stripped: true, pie: false, twin: 'cgo' },
  { name: 'cgo-pie', flags: pieFlag, cgo: true, stripped: false, pie: true, twin: 'cgo-pie' },
  { name: 'cgo-pie-stripped', flags: [...pieFlag, ...strip], cgo: true, stripped: true, pie: true, twin: 'cgo-pie' },
  { name: 'race', flags: ['-race'], cgo: true, stripped: false, pie: false, twin: 'race' },
  { name: 'race-stripped', flags: ['-race', ...strip], cgo: true, stripped: true, pie: false, twin: 'race' },
];

export function has(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** Why the programs cannot be built here, or undefined. */
export function whyNoToolchain(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'not Linux on amd64';
  if (!has('go', 'version')) return 'no go';
  return has('gcc', '--version') ? undefined : 'no gcc';
}

/** Runs the go command of one version. GOFLAGS must not be empty: then go takes the user's own, which old versions may not know. */
export function runGo(
  version: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): string {
  return execFileSync('go', args, {
    cwd: options.cwd ?? testdata,
    env: { ...process.env, GOTOOLCHAIN: `go${version}`, GOFLAGS: '-p=2', GOWORK: 'off', ...options.env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Builds the test program once; later runs take it from the user's cache directory. */
export function buildRobot(
  version: string,
  variant: Pick<Variant, 'name' | 'flags' | 'cgo'>,
  env: Record<string, string> = {},
): string {
  return buildOnce(version, `${testdata}robot`, variant.name, variant.flags, {
    CGO_ENABLED: variant.cgo ? '1' : '0',
    ...env,
  });
}

/** Builds one of the Go helper programs with the newest toolchain. */
export function buildTool(name: string): string {
  return buildOnce(newestToolchain, testdata + name, name, [], { CGO_ENABLED: '0' });
}

/** Builds the program in a folder once for each text of it; @returns its path in the user's cache directory. */
export function buildOnce(
  version: string,
  directory: string,
  name: string,
  flags: readonly string[],
  env: Record<string, string>,
): string {
  const texts = readdirSync(directory).map((file) => [file, readFileSync(`${directory}/${file}`, 'utf8')]);
  const key = createHash('sha256')
    .update(JSON.stringify([flags, env, texts]))
    .digest('hex')
    .slice(0, 12);
  const file = join(cacheDirectory(), `go${version}-${name}-${key}`);
  if (existsSync(file)) return file;
  const partial = `${file}.${process.pid}`;
  runGo(version, ['build', ...flags, '-o', partial, '.'], { cwd: directory, env });
  renameSync(partial, file);
  return file;
}

function cacheDirectory(): string {
  const directory = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'robotgc', 'gobin-matrix');
  mkdirSync(directory, { recursive: true });
  return directory;
}
