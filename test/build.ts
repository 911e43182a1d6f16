import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Builds what ships: the bundled program and the probe. Does nothing when both are newer than their sources. */
const root = fileURLToPath(new URL('..', import.meta.url));
const quiet = process.argv.includes('--quiet');
const entry = join(root, 'src/cli/main.ts');
const bundle = join(root, 'dist/robotgc.js');

// Some libraries are CommonJS inside and call require for Node's own modules. Above it, esbuild keeps the entry's `#!` line.
// An old Node would fail deep inside a library, without a word that helps.
const banner = `import { createRequire as robotgcRequire } from 'node:module';
const require = robotgcRequire(import.meta.url);
if (Number(process.versions.node.split('.')[0]) < 22) {
  console.error('robotgc: needs Node.js 22.19 or later, this is ' + process.version + '; inside the repository run it as npx robotgc');
  process.exit(3);
}`;

/**
 * What no program here runs of a library: V8 holds its text, and something for each of its functions, as long as a program runs. Of
 * Kubernetes' client that is all but the reading of a kubeconfig, of zod the words of other languages.
 */
const leaveOut: Plugin = {
  name: 'leave-out',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: join(root, 'node_modules/@kubernetes/client-node/dist/config.js'),
    }));
    const absent = (filter: RegExp, contents: string): void => onLoad({ filter }, () => ({ contents }));
    absent(/client-node\/dist\/gen\/(index|middleware)\.js$/, 'export let createConfiguration, ServerConfiguration');
    absent(/node_modules\/undici\/index\.js$/, 'export let Agent, ProxyAgent');
    absent(/zod\/v4\/locales\/index\.js$/, 'export {}');
  },
};

/**
 * Node's own modules by require: to import node:http is to ask for all that it exports, WebSocket and EventSource too, which loads fetch and
 * web streams, 8 MB for nothing. What a module only makes when asked for it is left out.
 */
const requireBuiltins: Plugin = {
  name: 'require-builtins',
  setup({ onLoad, onResolve }) {
    const namespace = 'builtin';
    onResolve({ filter: /^[a-z:/_0-9]+$/ }, ({ path, kind }) =>
      isBuiltin(path) && kind !== 'require-call' ? { path, namespace } : null,
    );
    onLoad({ filter: /./, namespace }, ({ path }) => {
      const values = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(path)));
      const names = values.filter(([name, { get }]) => /^[a-zA-Z]\w*$/.test(name) && !get).map(([name]) => name);
      return {
        contents: `const builtin = require('${path}'); export default builtin; export const { ${names} } = builtin;`,
      };
    });
  },
};

const say = (line: string) => console.error(`build: ${line}`);
const note = (line: string) => {
  if (!quiet) say(line);
};

async function buildBundle(): Promise<void> {
  if (!existsSync(entry)) return note('no src/cli/main.ts yet, no bundle');
  const sources = [
    join(root, 'src'),
    join(root, 'package.json'),
    join(root, 'package-lock.json'),
    fileURLToPath(import.meta.url),
  ];
  if (existsSync(bundle) && sources.every((path) => newestMs(path) < statSync(bundle).mtimeMs)) {
    return note('dist/robotgc.js is up to date');
  }
  const startedMs = performance.now();
  // Renamed into place at the end: another program may be running the old one.
  const fresh = join(root, 'dist', `.new-${process.pid}`, 'robotgc.js');
  await build({
    entryPoints: [entry],
    outfile: fresh,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    sourcemap: 'external',
    minifySyntax: true,
    // V8 holds the text as long as the program runs, at two bytes a character once a comment of some library has a curly quote in it.
    minifyWhitespace: true,
    // Node prints the line of an uncaught error.
    lineLimit: 160,
    legalComments: 'none',
    logLevel: 'warning',
    banner: { js: banner },
    plugins: [leaveOut, requireBuiltins],
  });
  chmodSync(fresh, 0o755);
  renameSync(`${fresh}.map`, `${bundle}.map`);
  renameSync(fresh, bundle);
  rmSync(dirname(fresh), { recursive: true });
  say(`dist/robotgc.js in ${Math.round(performance.now() - startedMs)} ms`);
}

/** npx finds the package's own program only in here; npm does not link it for the package itself. */
function linkCommand(): void {
  const link = join(root, 'node_modules/.bin/robotgc');
  const target = '../../dist/robotgc.js';
  if (!existsSync(bundle)) return;
  const stat = lstatSync(link, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true && readlinkSync(link) === target) return;
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

function buildProbe(): void {
  if (!existsSync(join(root, 'bpf/Makefile'))) {
    note('no bpf/Makefile yet, no probe');
    return;
  }
  const upToDate = spawnSync('make', ['-q', '-C', join(root, 'bpf')], { stdio: 'ignore' }).status === 0;
  if (upToDate) {
    note('the probe is up to date');
    return;
  }
  const startedMs = performance.now();
  const made = spawnSync('make', ['-j2', '-C', join(root, 'bpf')], { encoding: 'utf8' });
  if (made.error !== undefined) throw new Error(`make cannot be run: ${made.error.message}`);
  if (made.status !== 0) throw new Error(`building the probe failed:\n${made.stdout}${made.stderr}`);
  say(`bpf/build/robotgc-probe in ${Math.round(performance.now() - startedMs)} ms`);
}

function newestMs(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A directory's own time tells of files that were removed.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

try {
  await buildBundle();
  linkCommand();
  buildProbe();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 3;
}
