import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildModule } from './build-module.ts';
import { binariesSourceDir, cacheRoot } from './paths.ts';
import { run } from './run.ts';

/**
 * The cluster's programs, each built once from its Go module into the user's cache. The cache key covers everything that
 * the result depends on, so an upgrade of one module rebuilds that module only.
 */
export interface GoModule {
  readonly name: string;
  /** Package → name of the program it becomes. */
  readonly packages: Readonly<Record<string, string>>;
  /** Further names of the one program, as symbolic links. */
  readonly links: readonly string[];
  readonly cgo: boolean;
  /** The module in go.mod whose version the programs report about themselves, and the variables that hold it. */
  readonly version?: { readonly module: string; readonly packages: readonly string[] };
}

export const goModules: readonly GoModule[] = [
  { name: 'etcd', packages: { 'go.etcd.io/etcd/server/v3': 'etcd' }, links: [], cgo: false },
  {
    name: 'kubernetes',
    packages: { '.': 'kubernetes' },
    links: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet', 'kubectl'],
    // The kubelet's container statistics need C.
    cgo: true,
    version: {
      module: 'k8s.io/kubernetes',
      packages: ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'],
    },
  },
  {
    name: 'containerd',
    packages: {
      'github.com/containerd/containerd/v2/cmd/containerd': 'containerd',
      'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2': 'containerd-shim-runc-v2',
      'github.com/containerd/containerd/v2/cmd/ctr': 'ctr',
    },
    links: [],
    cgo: false,
  },
  { name: 'coredns', packages: { '.': 'coredns' }, links: [], cgo: false },
  { name: 'pause', packages: { '.': 'pause' }, links: [], cgo: false },
  { name: 'helm', packages: { 'helm.sh/helm/v4/cmd/helm': 'helm' }, links: [], cgo: false },
];

export const binaryNames = [
  'etcd',
  'kubernetes',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'kubectl',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'coredns',
  'pause',
  'helm',
] as const;
export type BinaryName = (typeof binaryNames)[number];

export interface EnsureOptions {
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Paths of the named programs, built first if they are not in the cache yet (the Kubernetes programs take some twelve
 * minutes on two cores, once). Safe to call from several processes at a time: one builds, the others wait.
 * @throws ClusterError BUILD_FAILED with the path of the compiler's log.
 */
export async function ensureBinaries<N extends BinaryName>(
  names: readonly N[],
  options: EnsureOptions = {},
): Promise<Record<N, string>> {
  const wanted = goModules.filter((module) => names.some((name) => programsOf(module).includes(name)));
  const paths: [string, string][] = [];
  for (const [index, module] of wanted.entries()) {
    const binDir = await binDirOf(module);
    if (!existsSync(binDir)) {
      await buildModule(module, await ldflagsOf(module), binDir, {
        ...options,
        label: `${index + 1} of ${wanted.length}`,
      });
    }
    for (const name of programsOf(module)) paths.push([name, join(binDir, name)]);
  }
  const found = new Map(paths);
  return Object.fromEntries(names.map((name) => [name, found.get(name) ?? ''])) as Record<N, string>; // every BinaryName belongs to a module (tested)
}

export function programsOf(module: GoModule): readonly string[] {
  return [...Object.values(module.packages), ...module.links];
}

async function binDirOf(module: GoModule): Promise<string> {
  const hash = createHash('sha256');
  const sourceDir = join(binariesSourceDir, module.name);
  for (const file of (await readdir(sourceDir)).sort()) {
    hash.update(`${file}\0`).update(await readFile(join(sourceDir, file)));
  }
  hash.update(JSON.stringify([module, await ldflagsOf(module), await goVersion(), process.arch]));
  return join(cacheRoot(), `${module.name}-${hash.digest('hex').slice(0, 16)}`, 'bin');
}

/** Without its version compiled in, kubectl cannot compare itself with the server. */
async function ldflagsOf(module: GoModule): Promise<string> {
  const flags = ['-s', '-w'];
  if (module.version !== undefined) {
    const goMod = await readFile(join(binariesSourceDir, module.name, 'go.mod'), 'utf8');
    flags.push(...versionFlags(goMod, module.version));
  }
  return flags.join(' ');
}

export function versionFlags(goMod: string, version: NonNullable<GoModule['version']>): readonly string[] {
  const line = goMod.split('\n').find((text) => text.replace('require ', '').trim().startsWith(`${version.module} v`));
  const gitVersion = line?.trim().split(' ').at(-1) ?? 'v0.0.0';
  const [major = '0', minor = '0'] = gitVersion.slice(1).split('.');
  return version.packages.flatMap((name) => [
    `-X ${name}.gitVersion=${gitVersion}`,
    `-X ${name}.gitMajor=${major}`,
    `-X ${name}.gitMinor=${minor}`,
    `-X ${name}.gitTreeState=clean`,
  ]);
}

let cachedGoVersion: Promise<string> | undefined;

function goVersion(): Promise<string> {
  cachedGoVersion ??= run(['go', 'env', 'GOVERSION']).then(({ stdout }) => stdout.trim());
  return cachedGoVersion;
}
