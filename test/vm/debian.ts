/** Debian packages of any release, from the archive that this machine's own apt uses, without installing them. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunResult, run } from '../cluster/run.ts';
import { VmError } from './errors.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** Default: this machine's. */
  readonly architecture?: string;
}

/** Downloads into `directory` the named packages of a release, or those that `choose` makes of its metapackages. */
export async function downloadPackages(
  release: string,
  packages: readonly string[],
  directory: string,
  { signal, architecture }: DownloadOptions = {},
): Promise<readonly string[]> {
  const archive = await debianArchive(signal);
  const root = await mkdtemp(join(tmpdir(), 'robotgc-apt-'));
  try {
    const apt = await temporaryApt(root, `deb [signed-by=${keyring}] ${archive} ${release} main\n`, {
      signal,
      architecture,
    });
    await apt('apt-get', 'update');
    const named: string[] = [];
    for (const name of packages) named.push(...(await realPackages(apt, name)));
    await mkdir(directory, { recursive: true });
    await apt('apt-get', 'download', ...named);
    const files = (await readdir(root)).filter((file) => file.endsWith('.deb'));
    if (files.length !== named.length) {
      throw new VmError('NO_ARCHIVE', `of ${named.join(', ')} the archive gave only ${files.join(', ') || 'nothing'}`);
    }
    await run(['mv', '--', ...files.map((file) => join(root, file)), directory], withSignal(signal));
    return files.map((file) => join(directory, file));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

type Apt = (program: 'apt-get' | 'apt-cache', ...args: string[]) => Promise<RunResult>;

/** An apt that knows one source and nothing of what is installed; proxies and the like are still the machine's. */
async function temporaryApt(
  root: string,
  sources: string,
  { signal, architecture }: { signal: AbortSignal | undefined; architecture: string | undefined },
): Promise<Apt> {
  for (const part of ['state/lists/partial', 'cache/archives/partial'])
    await mkdir(join(root, part), { recursive: true });
  await writeFile(join(root, 'sources.list'), sources);
  await writeFile(join(root, 'status'), '');
  const settings = {
    'Dir::State': join(root, 'state'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': join(root, 'cache'),
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::preferencesparts': '-',
    'Acquire::Languages': 'none',
    // Its own user could not write here.
    'APT::Sandbox::User': 'root',
    ...(architecture === undefined ? {} : { 'APT::Architecture': architecture, 'APT::Architectures': architecture }),
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return async (program, ...args) => {
    try {
      return await run([program, ...options, ...args], { cwd: root, ...withSignal(signal) });
    } catch (cause) {
      // Addresses of mirrors are the machine's business, not this output's.
      const words = String(cause)
        .replace(/https?:\/\/\S+/g, '(mirror)')
        .slice(-600);
      throw new VmError('NO_ARCHIVE', `${program} ${args.join(' ')} failed: ${words}`);
    }
  };
}

/** A metapackage such as linux-image-amd64 depends on the one package that holds something. */
async function realPackages(apt: Apt, name: string): Promise<readonly string[]> {
  if (!name.startsWith('linux-image-')) return [name];
  const { stdout } = await apt('apt-cache', 'show', '--no-all-versions', name);
  const image = /^Depends: (linux-image-\S+)/m.exec(stdout)?.[1];
  if (image === undefined) throw new VmError('BAD_PACKAGE', `${name} depends on no kernel image`);
  return [image];
}

/** Where this machine's own Debian packages come from. @throws VmError NO_ARCHIVE */
export async function debianArchive(signal?: AbortSignal): Promise<string> {
  if (!existsSync(keyring)) throw new VmError('NO_ARCHIVE', `there is no ${keyring}: is this Debian?`);
  const format = '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)';
  const ask = ['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'];
  const find = async () => parseArchive((await run(ask, withSignal(signal))).stdout);
  let found = await find();
  if (found === undefined) {
    await run(['apt-get', 'update'], { okCodes: [0, 100], ...withSignal(signal) });
    found = await find();
  }
  if (found === undefined) throw new VmError('NO_ARCHIVE', "apt's configuration names no Debian archive");
  return found;
}

/** From lines `Origin codename component URI`; updates and security fixes lie in archives that do not hold every release. */
export function parseArchive(text: string): string | undefined {
  const lines = text.split('\n').map((line) => line.split(' '));
  return lines.find(
    ([origin, codename, component]) => origin === 'Debian' && component === 'main' && codename?.includes('-') === false,
  )?.[3];
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
