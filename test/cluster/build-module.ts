import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EnsureOptions, GoModule } from './binaries.ts';
import { ClusterError } from './errors.ts';
import { binariesSourceDir } from './paths.ts';

/**
 * Holding the lock (the kernel releases it when the builder dies), builds into a directory beside the final one and
 * renames it at the end, so that a killed build leaves nothing that looks finished. Go's own build cache makes the next
 * try continue where this one stopped. Arguments: final directory, links, then the go command without its `-o`.
 */
const script = `
set -eu
final=$1; links=$2; shift 2
[ ! -e "$final" ] || exit 0
partial="$final.partial"
rm -rf "$partial"; mkdir -p "$partial"
for package in $PACKAGES; do
  echo "building $package"
  nice -n 5 "$@" -o "$partial/\${package##*=}" "\${package%%=*}"
done
for link in $links; do ln -s "$MULTICALL" "$partial/$link"; done
mv "$partial" "$final"
`;

const progressEveryMs = 10_000;

/** @throws ClusterError BUILD_FAILED; an aborted signal ends the compiler and all it started. */
export async function buildModule(
  module: GoModule,
  ldflags: string,
  binDir: string,
  options: EnsureOptions & { readonly label: string },
): Promise<void> {
  const moduleDir = dirname(binDir);
  await mkdir(moduleDir, { recursive: true });
  const logPath = join(moduleDir, 'build.log');
  const log = openSync(logPath, 'a');
  const say = (words: string) => options.onProgress?.(`building ${module.name} (${options.label}): ${words}`);
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  say(`started; compiler's log: ${logPath}`);
  const go = ['go', 'build', '-buildvcs=false', '-trimpath', `-ldflags=${ldflags}`];
  const child = spawn(
    'flock',
    [join(moduleDir, 'lock'), 'sh', '-c', script, 'sh', binDir, module.links.join(' '), ...go],
    {
      cwd: join(binariesSourceDir, module.name),
      // Its own process group, so that an abort reaches the compiler's children too.
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        GOWORK: 'off',
        CGO_ENABLED: module.cgo ? '1' : '0',
        PACKAGES: Object.entries(module.packages)
          .map(([path, name]) => `${path}=${name}`)
          .join(' '),
        MULTICALL: Object.values(module.packages)[0] ?? '',
      },
    },
  );
  closeSync(log);
  const timer = setInterval(() => say(`${seconds()} s`), progressEveryMs);
  const abort = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  };
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    options.signal?.throwIfAborted();
    if (code !== 0) {
      const tail = (await readFile(logPath, 'utf8')).trim().split('\n').slice(-15).join('\n');
      throw new ClusterError('BUILD_FAILED', `building ${module.name} failed; the whole log is ${logPath}\n${tail}`);
    }
    say(`done in ${seconds()} s`);
  } finally {
    clearInterval(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}
