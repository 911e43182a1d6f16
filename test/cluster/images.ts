import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ImageConfig, type LayerEntry, sha256Of, writeImageArchive } from './archive.ts';
import { type EnsureOptions, ensureBinaries } from './binaries.ts';
import { pauseImage } from './containerd.ts';
import { ClusterError } from './errors.ts';
import { cacheRoot, repositoryDir } from './paths.ts';
import { run } from './run.ts';

/** An image ready for `importImage`; use it in pods with `imagePullPolicy: Never`. */
export interface BuiltImage {
  readonly tag: string;
  /** docker-archive; the file name holds a digest of what went in, so an unchanged image is not written again. */
  readonly archive: string;
}

export async function buildPauseImage(options: EnsureOptions = {}): Promise<BuiltImage> {
  const { pause } = await ensureBinaries(['pause'], options);
  const entries: LayerEntry[] = [{ path: '/pause', type: 'file', source: pause, mode: 0o755 }];
  return build({ tag: pauseImage, entrypoint: ['/pause'], user: '65535:65535' }, entries);
}

export interface GoImageRequest {
  /** Directory of the Go module. */
  readonly dir: string;
  /** Package inside the module, such as `./cmd/robot`. */
  readonly pkg: string;
  /** The program becomes `/NAME` in the image `robotgc.dev/NAME:local`. */
  readonly name: string;
  readonly ldflags?: string;
  /** `uid:gid`; default 65532:65532 (non-root). */
  readonly user?: string;
}

/** A static Go program and nothing else. */
export async function buildGoImage(request: GoImageRequest): Promise<BuiltImage> {
  const work = await mkdtemp(join(tmpdir(), 'robotgc-image-'));
  try {
    const program = join(work, request.name);
    const ldflags = request.ldflags === undefined ? [] : [`-ldflags=${request.ldflags}`];
    await run(['go', 'build', '-buildvcs=false', '-trimpath', ...ldflags, '-o', program, request.pkg], {
      cwd: request.dir,
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
    });
    const config = {
      tag: `robotgc.dev/${request.name}:local`,
      entrypoint: [`/${request.name}`],
      user: request.user ?? '65532:65532',
    };
    return await build(config, [{ path: `/${request.name}`, type: 'file', source: program, mode: 0o755 }]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The product: Node, the bundled program and the probe, with the shared libraries that `ldd` names. There is no shell.
 * @throws ClusterError MISSING_PROGRAM when something has not been built yet
 */
export async function buildProductImage(): Promise<BuiltImage> {
  const node = join(repositoryDir, 'node_modules/node/bin/node');
  const dist = join(repositoryDir, 'dist');
  const bundle = join(dist, 'robotgc.js');
  const probe = join(repositoryDir, 'bpf/build/robotgc-probe');
  for (const path of [node, bundle, probe]) {
    if (!existsSync(path)) throw new ClusterError('MISSING_PROGRAM', `${path} is missing: run "npm run setup" first`);
  }
  const libraries = new Set([...(await librariesOf(node)), ...(await librariesOf(probe))]);
  const besides = (await readdir(dist)).filter((name) => name !== 'robotgc.js' && !name.startsWith('.'));
  const file = (path: string, source: string, mode: number): LayerEntry => ({ path, type: 'file', source, mode });
  return build(
    {
      tag: 'robotgc.dev/robotgc:local',
      entrypoint: ['/usr/bin/robotgc'],
      user: '65532:65532',
      env: ['NODE_ENV=production', 'HOME=/tmp'],
    },
    [
      file('/usr/bin/node', node, 0o755),
      file('/usr/bin/robotgc-probe', probe, 0o755),
      ...[...libraries].map((path) => file(path, path, 0o755)),
      ...besides.map((name) => file(`/usr/lib/robotgc/${name}`, join(dist, name), 0o644)),
      // There is no /usr/bin/env here to look Node up.
      {
        path: '/usr/lib/robotgc/robotgc.js',
        type: 'text',
        text: (await readFile(bundle, 'utf8')).replace(/^#!.*/, '#!/usr/bin/node'),
        mode: 0o755,
      },
      { path: '/usr/lib/robotgc/package.json', type: 'text', text: '{"type":"module"}\n', mode: 0o644 },
      { path: '/usr/bin/robotgc', type: 'link', target: '../lib/robotgc/robotgc.js' },
      { path: '/etc/passwd', type: 'text', text: passwd, mode: 0o644 },
      { path: '/etc/nsswitch.conf', type: 'text', text: 'hosts: files dns\n', mode: 0o644 },
      { path: '/tmp', type: 'directory', mode: 0o1777 },
    ],
  );
}

const passwd = 'root:x:0:0:root:/:/bin/false\nrobotgc:x:65532:65532:robotgc:/tmp:/bin/false\n';

/** Absolute paths of the shared libraries and the loader, as the loader itself would find them. */
export async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout, stderr, code } = await run(['ldd', program], { okCodes: [0, 1] });
  if (code === 0) return parseLdd(stdout);
  if (`${stdout}${stderr}`.includes('not a dynamic executable')) return [];
  throw new ClusterError('COMMAND_FAILED', `ldd ${program}: ${stderr}`);
}

/** @throws ClusterError MISSING_PROGRAM when a library is not on this machine */
export function parseLdd(output: string): readonly string[] {
  const missing = /^\s*(\S+) => not found$/m.exec(output)?.[1];
  if (missing !== undefined)
    throw new ClusterError('MISSING_PROGRAM', `the shared library ${missing} is not installed`);
  return output.split('\n').flatMap((line) => /(?:=>|^)\s+(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

async function build(config: ImageConfig, entries: readonly LayerEntry[]): Promise<BuiltImage> {
  const name = basename(config.tag).replace(/:.*/, '');
  const dir = join(cacheRoot(), 'images');
  await mkdir(dir, { recursive: true });
  const digest = await digestOf(config, entries);
  const archive = join(dir, `${name}@${digest}.tar`);
  if (!existsSync(archive)) {
    await writeImageArchive(archive, config, entries);
    await pruneOlder(dir, name);
  }
  return { tag: config.tag, archive };
}

async function digestOf(config: ImageConfig, entries: readonly LayerEntry[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(config));
  for (const entry of entries) {
    const described = entry.type === 'file' ? { ...entry, source: await sha256Of(entry.source) } : entry;
    hash.update(JSON.stringify(described));
  }
  return hash.digest('hex').slice(0, 20);
}

const keepCount = 3;
const keepMs = 600_000;

/** Keeps the newest few, and any that another checkout may just be about to import. */
async function pruneOlder(dir: string, name: string): Promise<void> {
  const files = (await readdir(dir)).filter((file) => file.startsWith(`${name}@`) && file.endsWith('.tar'));
  const dated = await Promise.all(
    files.map(async (file) => {
      // Another checkout may prune at the same moment.
      const mtimeMs = (await stat(join(dir, file)).catch(() => null))?.mtimeMs;
      return mtimeMs === undefined ? [] : [{ file, mtimeMs }];
    }),
  );
  const newestFirst = dated.flat().sort((a, b) => b.mtimeMs - a.mtimeMs);
  for (const { file, mtimeMs } of newestFirst.slice(keepCount)) {
    if (Date.now() - mtimeMs > keepMs) await rm(join(dir, file), { recursive: true, force: true });
  }
}
